// SPDX-License-Identifier: BSD-2-Clause
/*
 * A note's description, as <sys/sdt.h> made it known (all in the file's byte order):
 *
 *	8 bytes  address of the site
 *	8 bytes  address of the section .stapsdt.base when the note was made
 *	8 bytes  address of the semaphore, 0: none
 *	text\0   provider     text\0  name     text\0  arguments
 *
 * A prelinker may have moved the file since: the difference of the base addresses says how far.
 */
#include "steptrace/attach/elf_notes.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/attach/elf_limits.h"
#include "steptrace/stream/event.h"

#if defined(__x86_64__)
static const char our_argument[] = "8@%rdi";
#else
static const char our_argument[] = "8@x0";
#endif

enum {
	NOTE_STAPSDT = 3,
	NOTE_BUILD_ID = 3,
	NOTE_TAGS = 1, /* of the owner "steptrace": 4 bytes, the version of the tags */
	NOTES_MAX = 1 << 20,
	NAMES_BYTES_MAX = 1 << 20,
	NOTE_BYTES_MAX = 4 << 20, /* of all note sections together: libelf copies each */
};

struct stap_note {
	uint64_t site, base, semaphore;
	const char *provider, *name, *arguments;
};

struct reader {
	Elf *elf;
	uint64_t base; /* address of .stapsdt.base, 0: there is none */
	struct probe_notes *found;
	uint64_t note_bytes; /* of the sections read so far */
	struct error *err;
};

/* The next string of the description; NULL where it has no end. */
static const char *take_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *stop = memchr(text, 0, (size_t)(end - text));

	if (!stop)
		return NULL;
	*at = stop + 1;
	return text;
}

static int parse_stap(const char *desc, size_t bytes, struct stap_note *note)
{
	const char *at = desc + 3 * sizeof(uint64_t);
	const char *end = desc + bytes;

	if (bytes < 3 * sizeof(uint64_t) + 3)
		return -EBADMSG;
	memcpy(&note->site, desc, sizeof(uint64_t));
	memcpy(&note->base, desc + 8, sizeof(uint64_t));
	memcpy(&note->semaphore, desc + 16, sizeof(uint64_t));
	note->provider = take_text(&at, end);
	note->name = note->provider ? take_text(&at, end) : NULL;
	note->arguments = note->name ? take_text(&at, end) : NULL;
	return note->arguments ? 0 : -EBADMSG;
}

/* The file offset of an address inside a loadable segment that has all of `flags`. */
static int to_offset(Elf *elf, uint64_t address, uint32_t flags, uint64_t *offset)
{
	size_t count;
	GElf_Phdr segment;

	if (elf_getphdrnum(elf, &count))
		return -EBADMSG;
	for (size_t i = 0; i < count && i < ELF_SEGMENTS_MAX; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment))
			return -EBADMSG;
		if (segment.p_type != PT_LOAD || (segment.p_flags & flags) != flags)
			continue;
		if (address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
			continue;
		if (__builtin_add_overflow(address - segment.p_vaddr, segment.p_offset, offset))
			return -EBADMSG;
		return 0;
	}
	return -EBADMSG;
}

static int probe_named(const char *name, enum steptrace_probe *probe)
{
	for (int i = 0; i < PROBES_COUNT; i++)
		if (strcmp(probes[i].name, name) == 0) {
			*probe = (enum steptrace_probe)i;
			return 0;
		}
	return -ENOENT;
}

/* The bytes at the site; a site too close to the file's end has fewer. */
static unsigned int sites_at(Elf *elf, uint64_t offset)
{
	for (size_t bytes = SITES_BYTES; bytes > 0; bytes--) {
		Elf_Data *data;

		if (offset > INT64_MAX - SITES_BYTES)
			return 0;
		data = elf_getdata_rawchunk(elf, (int64_t)offset, bytes, ELF_T_BYTE);
		if (data && data->d_buf)
			return site__recognise(data->d_buf, data->d_size);
	}
	return 0;
}

/* The note that names the same site already; NULL: none. */
static const struct probe_note *find_site(const struct probe_notes *found, uint64_t offset)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->notes[i].offset == offset)
			return &found->notes[i];
	return NULL;
}

/* Several notes may name one site: the site is one all the same. But a hit of a site cannot be that
 * of two different probes. */
static int keep_site(struct reader *reader, const struct stap_note *note,
		     const struct probe_note *made)
{
	struct probe_notes *found = reader->found;
	const struct probe_note *other = find_site(found, made->offset);

	if (other && other->probe != made->probe)
		return error__set(
			reader->err, -EBADMSG,
			"the probes %s and %s have the same address (link the program without "
			"--icf=all)",
			probes[other->probe].name, note->name);
	if (other)
		return 0;
	if (found->count >= PROBE_NOTES_MAX)
		return error__set(reader->err, -EBADMSG, "more than %d steptrace probes",
				  PROBE_NOTES_MAX);
	found->notes[found->count++] = *made;
	return 0;
}

static int keep_probe(struct reader *reader, const struct stap_note *note,
		      enum steptrace_probe probe)
{
	uint64_t moved = reader->base ? reader->base - note->base : 0;
	struct probe_note made = {.probe = probe};

	if (strcmp(note->arguments, our_argument) != 0)
		return error__set(reader->err, -EBADMSG,
				  "probe %s has the argument '%.32s' where '%s' belongs",
				  note->name, note->arguments, our_argument);
	if (to_offset(reader->elf, note->site + moved, PF_X, &made.offset))
		return error__set(reader->err, -EBADMSG,
				  "probe %s points outside of the program's code", note->name);
	if (note->semaphore &&
	    to_offset(reader->elf, note->semaphore + moved, PF_W, &made.semaphore_offset))
		return error__set(reader->err, -EBADMSG,
				  "the semaphore of probe %s is not in the program's data",
				  note->name);
	made.sites = sites_at(reader->elf, made.offset);
	if (!(made.sites & (1u << SITE_NOP1)))
		return error__set(reader->err, -EBADMSG, "there is no nop at probe %s", note->name);
	return keep_site(reader, note, &made);
}

static int take_stap(struct reader *reader, const char *desc, size_t bytes)
{
	enum steptrace_probe probe;
	struct stap_note note;

	if (parse_stap(desc, bytes, &note))
		return error__set(reader->err, -EBADMSG, "a SystemTap note is malformed");
	if (strcmp(note.provider, "steptrace") != 0)
		return 0;
	if (probe_named(note.name, &probe)) {
		reader->found->unknown_count++;
		return 0;
	}
	return keep_probe(reader, &note, probe);
}

static void take_build_id(struct probe_notes *found, const char *desc, size_t bytes)
{
	if (bytes > BUILD_ID_MAX_BYTES)
		return;
	memcpy(found->build_id, desc, bytes);
	found->build_id_bytes = bytes;
}

static void take_tags(struct probe_notes *found, const char *desc, size_t bytes)
{
	found->tags_version = UINT32_MAX;
	if (bytes == sizeof(found->tags_version))
		memcpy(&found->tags_version, desc, bytes);
}

static bool is_note(const GElf_Nhdr *header, const char *name, const char *owner,
		    size_t owner_bytes, uint32_t type)
{
	return header->n_type == type && header->n_namesz == owner_bytes &&
	       memcmp(name, owner, owner_bytes) == 0;
}

static int take_note(struct reader *reader, const GElf_Nhdr *header, const char *name,
		     const char *desc)
{
	if (is_note(header, name, "stapsdt", sizeof("stapsdt"), NOTE_STAPSDT))
		return take_stap(reader, desc, header->n_descsz);
	if (is_note(header, name, "GNU", sizeof("GNU"), NOTE_BUILD_ID))
		take_build_id(reader->found, desc, header->n_descsz);
	else if (is_note(header, name, "steptrace", sizeof("steptrace"), NOTE_TAGS))
		take_tags(reader->found, desc, header->n_descsz);
	return 0;
}

static int read_note_section(struct reader *reader, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t at = 0, next, name_at, desc_at;
	GElf_Nhdr header;
	int err = 0;

	if (!data || !data->d_buf)
		return 0;
	for (int count = 0; !err && count < NOTES_MAX; count++, at = next) {
		const char *bytes = data->d_buf;

		next = gelf_getnote(data, at, &header, &name_at, &desc_at);
		if (next == 0)
			break;
		err = take_note(reader, &header, bytes + name_at, bytes + desc_at);
	}
	return err;
}

/* The names of the sections; NULL where there are none, or more than a program has: libelf copies
 * them. */
static const Elf_Data *section_names(Elf *elf)
{
	GElf_Shdr header;
	Elf_Scn *section;
	size_t at;

	if (elf_getshdrstrndx(elf, &at))
		return NULL;
	section = elf_getscn(elf, at);
	if (!section || !gelf_getshdr(section, &header) || header.sh_size > NAMES_BYTES_MAX)
		return NULL;
	return elf_rawdata(section, NULL);
}

static bool is_named(const Elf_Data *names, const GElf_Shdr *header, const char *name)
{
	size_t bytes = strlen(name) + 1;

	return names && names->d_buf && header->sh_name < names->d_size &&
	       names->d_size - header->sh_name >= bytes &&
	       memcmp((const char *)names->d_buf + header->sh_name, name, bytes) == 0;
}

static void find_base(struct reader *reader)
{
	const Elf_Data *names = section_names(reader->elf);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	for (int i = 0; i < ELF_SECTIONS_MAX; i++) {
		section = elf_nextscn(reader->elf, section);
		if (!section)
			return;
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_PROGBITS &&
		    is_named(names, &header, ".stapsdt.base"))
			reader->base = header.sh_addr;
	}
}

static int read_sections(struct reader *reader)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int err = 0;

	find_base(reader);
	for (int i = 0; !err && i < ELF_SECTIONS_MAX; i++) {
		section = elf_nextscn(reader->elf, section);
		if (!section)
			break;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
			continue;
		if (header.sh_size > NOTE_BYTES_MAX - reader->note_bytes)
			return error__set(reader->err, -EBADMSG, "more than %d bytes of notes",
					  NOTE_BYTES_MAX);
		reader->note_bytes += header.sh_size;
		err = read_note_section(reader, section);
	}
	return err;
}

static int read_elf(Elf *elf, struct probe_notes *notes, struct error *err)
{
	struct reader reader = {.elf = elf, .found = notes, .err = err};
	GElf_Ehdr header;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return error__set(err, -ENOEXEC, "not an ELF file");
	return read_sections(&reader);
}

static int read_source(const struct elf_source *source, struct probe_notes *notes,
		       struct error *err)
{
	int result = elf_limits__check(source, err);
	Elf *elf;

	memset(notes, 0, sizeof(*notes));
	if (result)
		return result;
	elf_version(EV_CURRENT);
	elf = source->fd >= 0 ? elf_begin(source->fd, ELF_C_READ, NULL)
			      : elf_memory((char *)(uintptr_t)source->bytes, source->size_bytes);
	result = read_elf(elf, notes, err);
	elf_end(elf);
	return result;
}

int elf_notes__read(int fd, const char *name, struct probe_notes *notes, struct error *err)
{
	const struct elf_source source = {.fd = fd};
	int result = read_source(&source, notes, err);

	return result ? error__prefix(err, result, "'%s'", name) : 0;
}

int elf_notes__read_memory(const void *bytes, size_t size_bytes, struct probe_notes *notes,
			   struct error *err)
{
	const struct elf_source source = {.fd = -1, .bytes = bytes, .size_bytes = size_bytes};

	return read_source(&source, notes, err);
}

void probe_notes__site_names(const struct probe_notes *notes, const char *separator,
			     char names[SITE_NAMES_BYTES])
{
	unsigned int common = ~0u;
	size_t length = 0;

	names[0] = 0;
	for (size_t i = 0; i < notes->count; i++)
		common &= notes->notes[i].sites;
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		if (common & (1u << kind) && sites[kind].size_bytes)
			length +=
				(size_t)snprintf(names + length, SITE_NAMES_BYTES - length, "%s%s",
						 length ? separator : "", sites[kind].name);
}
