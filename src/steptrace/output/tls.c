// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/output/descriptor.h"

#define HANDSHAKE_NS 10000000000ull /* a peer that knows no TLS may never answer */

struct tls_identity {
	gnutls_certificate_credentials_t credentials;
};

struct tls_session {
	gnutls_session_t session;
	int error; /* of the last call */
	char reason[160];
};

/* ---- whom to trust, and who we are */

static int trust(struct tls_identity *identity, const char *path, struct error *err)
{
	int count = path ? gnutls_certificate_set_x509_trust_file(identity->credentials, path,
								  GNUTLS_X509_FMT_PEM)
			 : gnutls_certificate_set_x509_system_trust(identity->credentials);

	if (count > 0)
		return 0;
	if (!path)
		return error__set(err, -ENOENT,
				  "the system has no certificates of authorities (install "
				  "ca-certificates, or give --tls-ca)");
	return error__set(err, -EINVAL, "cannot read certificates from '%s': %s", path,
			  count ? gnutls_strerror(count) : "it contains none");
}

static int show(struct tls_identity *identity, const struct tls_files *files, struct error *err)
{
	int code;

	if (!files->certificate)
		return 0;
	code = gnutls_certificate_set_x509_key_file(identity->credentials, files->certificate,
						    files->key, GNUTLS_X509_FMT_PEM);
	return code < 0 ? error__set(err, -EINVAL,
				     "cannot use the certificate '%s' with the key '%s': %s",
				     files->certificate, files->key, gnutls_strerror(code))
			: 0;
}

struct tls_identity *tls_identity__open(const struct tls_files *files, struct error *err)
{
	struct tls_identity *identity = calloc(1, sizeof(*identity));

	if (!identity || gnutls_certificate_allocate_credentials(&identity->credentials)) {
		free(identity);
		error__set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	if (trust(identity, files->authorities, err) == 0 && show(identity, files, err) == 0)
		return identity;
	tls_identity__close(identity);
	return NULL;
}

void tls_identity__close(struct tls_identity *identity)
{
	if (!identity)
		return;
	gnutls_certificate_free_credentials(identity->credentials);
	free(identity);
}

/* ---- a session */

static void note_certificate(struct tls_session *session)
{
	unsigned int status = gnutls_session_get_verify_cert_status(session->session);
	gnutls_datum_t text = {NULL, 0};

	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) == 0)
		snprintf(session->reason, sizeof(session->reason), "%s", text.data);
	gnutls_free(text.data);
}

/* Negative errno for a negative result of GnuTLS. */
static int failed(struct tls_session *session, ssize_t result)
{
	gnutls_alert_description_t alert;
	const char *name;

	session->error = (int)result;
	if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED)
		return -EAGAIN;
	snprintf(session->reason, sizeof(session->reason), "%s", gnutls_strerror((int)result));
	if (result == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		note_certificate(session);
	if (result == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		alert = gnutls_alert_get(session->session);
		name = gnutls_alert_get_name(alert);
		snprintf(session->reason, sizeof(session->reason), "the peer refused: %s",
			 name ? name : "unknown alert");
	}
	return -EPROTO;
}

static int init(struct tls_session *session, const struct tls_identity *identity, const char *host,
		int fd)
{
	struct in6_addr address;
	bool is_name =
		inet_pton(AF_INET, host, &address) != 1 && inet_pton(AF_INET6, host, &address) != 1;

	if (gnutls_init(&session->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) ||
	    gnutls_set_default_priority(session->session) ||
	    gnutls_credentials_set(session->session, GNUTLS_CRD_CERTIFICATE,
				   identity->credentials) ||
	    (is_name &&
	     gnutls_server_name_set(session->session, GNUTLS_NAME_DNS, host, strlen(host))))
		return -ENOMEM;
	gnutls_session_set_verify_cert(session->session, host, 0);
	gnutls_handshake_set_timeout(session->session, 0);
	gnutls_transport_set_int(session->session, fd);
	return 0;
}

/* A warning is not the end of a handshake. */
static int shake_hands(struct tls_session *session, int fd, int give_up_fd)
{
	uint64_t begun_ns = clock__now_ns();
	int code, result;

	do {
		result = gnutls_handshake(session->session);
		code = result < 0 ? failed(session, result) : 0;
		if (code && gnutls_error_is_fatal(result))
			break;
		if (code && clock__now_ns() - begun_ns > HANDSHAKE_NS)
			return -ETIMEDOUT;
		if (code == -EAGAIN)
			code = descriptor__await(fd, tls_session__events(session), give_up_fd);
		if (code == -ECANCELED)
			break;
	} while (result < 0);
	return code;
}

int tls_session__open(const struct tls_identity *identity, const char *host, int fd, int give_up_fd,
		      struct tls_session **out, struct error *why)
{
	struct tls_session *session = calloc(1, sizeof(*session));
	int code = session ? init(session, identity, host, fd) : -ENOMEM;

	if (!code)
		code = shake_hands(session, fd, give_up_fd);
	if (!code) {
		*out = session;
		return 0;
	}
	error__set(why, code, "TLS: %s",
		   session && session->reason[0] ? session->reason : strerror(-code));
	if (session)
		gnutls_deinit(session->session);
	free(session);
	return code;
}

void tls_session__close(struct tls_session *session)
{
	if (!session)
		return;
	if (session->error == 0 || session->error == GNUTLS_E_AGAIN)
		gnutls_bye(session->session, GNUTLS_SHUT_WR);
	gnutls_deinit(session->session);
	free(session);
}

static ssize_t result_of(struct tls_session *session, ssize_t result)
{
	if (result >= 0)
		session->error = 0;
	return result < 0 ? failed(session, result) : result;
}

ssize_t tls_session__write(struct tls_session *session, const char *bytes, size_t count)
{
	return result_of(session, gnutls_record_send(session->session, bytes, count));
}

ssize_t tls_session__read(struct tls_session *session, char *bytes, size_t count)
{
	return result_of(session, gnutls_record_recv(session->session, bytes, count));
}

short tls_session__events(const struct tls_session *session)
{
	return gnutls_record_get_direction(session->session) ? POLLOUT : POLLIN;
}

const char *tls_session__reason(const struct tls_session *session)
{
	return session->reason;
}
