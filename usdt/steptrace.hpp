/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steptrace.hpp - steptrace.h for C++17: commands, steps and tool calls as objects.
 *
 *	#include <steptrace.hpp>
 *
 *	void run(const request &request)
 *	{
 *		steptrace::command command("fragment.update", [&](steptrace_command &about) {
 *			about.user_id = request.user.c_str(); // valid until the command ends
 *			about.request_source = "api";
 *		});
 *		steptrace::step step(command, "DatabaseUpdateStep", [](steptrace_step &about) {
 *			about.name = "set-title";
 *		});
 *		step->mutations_count = update_the_row(request);
 *	}
 *
 * The constructor makes the begin call, and the destructor makes the end call. The function that a
 * constructor takes sets members before the begin call. Afterwards, the operator -> gives access to
 * the members. steptrace.h says what they mean, and its rules apply.
 *
 * HOW A SPAN ENDS
 *
 * - end(outcome) ends the span at once.
 * - Otherwise the destructor ends the span, with this outcome:
 *	the span is suspended		cancelled (a coroutine was destroyed before its end)
 *	an exception is thrown		failure (error category "general" if none is set)
 *	in all other cases		the outcome that was passed to outcome(), or success
 *
 * If the code inside the span catches an exception, the destructor does not know about it. Call
 * fail() or outcome() in the catch block.
 *
 * The objects cannot be copied or moved, because steptrace.h keeps their addresses. They can be
 * members of other objects and live in coroutine frames. A command must exist longer than its steps
 * and tool calls: declare it before them.
 */
#ifndef STEPTRACE_HPP
#define STEPTRACE_HPP

#if __cplusplus < 201703L
#error "steptrace.hpp needs C++17 or later: compile with -std=c++17"
#include <steptrace.hpp-needs-C++17>
#endif

#include <exception>

#include "steptrace.h"

/* The functions of this file are not exported from shared libraries. Otherwise two libraries would
 * share one copy of a function, and with it the semaphore of only one of them. */
#define STEPTRACE__OWN [[gnu::visibility("hidden")]]

namespace steptrace
{

/* True while a tracer is attached. */
STEPTRACE__OWN inline bool enabled() noexcept
{
	return steptrace_enabled() != 0;
}

namespace detail
{

struct command_calls {
	using type = steptrace_command;

	STEPTRACE__OWN static void end(type *span, enum steptrace_outcome outcome) noexcept
	{
		steptrace_command_end(span, outcome);
	}

	STEPTRACE__OWN static void suspend(type *span) noexcept
	{
		steptrace_command_suspend(span);
	}

	STEPTRACE__OWN static void resume(type *span) noexcept
	{
		steptrace_command_resume(span);
	}
};

struct step_calls {
	using type = steptrace_step;

	STEPTRACE__OWN static void end(type *span, enum steptrace_outcome outcome) noexcept
	{
		steptrace_step_end(span, outcome);
	}

	STEPTRACE__OWN static void suspend(type *span) noexcept
	{
		steptrace_step_suspend(span);
	}

	STEPTRACE__OWN static void resume(type *span) noexcept
	{
		steptrace_step_resume(span);
	}
};

struct tool_calls {
	using type = steptrace_tool;

	STEPTRACE__OWN static void end(type *span, enum steptrace_outcome outcome) noexcept
	{
		steptrace_tool_end(span, outcome);
	}
};

/* What commands, steps and tool calls have in common. */
template <typename Calls> class span {
public:
	using type = typename Calls::type;

	span(const span &) = delete;
	span &operator=(const span &) = delete;

	STEPTRACE__OWN type *operator->() noexcept
	{
		return &span_;
	}

	STEPTRACE__OWN type *get() noexcept
	{
		return &span_;
	}

	/* The outcome with which the destructor will end the span. */
	STEPTRACE__OWN void outcome(enum steptrace_outcome outcome) noexcept
	{
		outcome_ = outcome;
	}

	/* Ends the span now. Later calls, and the destructor, do nothing. */
	STEPTRACE__OWN void end(enum steptrace_outcome outcome = STEPTRACE_SUCCESS) noexcept
	{
		if (is_open_)
			Calls::end(&span_, outcome);
		is_open_ = false;
	}

protected:
	STEPTRACE__OWN span() noexcept : exceptions_(std::uncaught_exceptions())
	{
	}

	~span() = default;

	/* Called after the begin call. If the constructor throws before, no end call is made. */
	STEPTRACE__OWN void has_begun() noexcept
	{
		is_open_ = true;
	}

	STEPTRACE__OWN bool is_left_by_exception() const noexcept
	{
		return std::uncaught_exceptions() > exceptions_;
	}

	STEPTRACE__OWN enum steptrace_outcome chosen_outcome() const noexcept
	{
		return outcome_;
	}

	type span_;

private:
	int exceptions_;
	enum steptrace_outcome outcome_ = STEPTRACE_SUCCESS;
	bool is_open_ = false;
};

/* A command or a step: it has an error category, and it can be suspended. */
template <typename Calls> class work : public span<Calls> {
public:
	/* The destructor will end the span as a failure. */
	STEPTRACE__OWN void fail(enum steptrace_error category = STEPTRACE_ERROR_GENERAL) noexcept
	{
		this->span_.error_category = static_cast<uint8_t>(category);
		this->outcome(STEPTRACE_FAILURE);
	}

	STEPTRACE__OWN void suspend() noexcept
	{
		Calls::suspend(&this->span_);
		is_suspended_ = true;
	}

	STEPTRACE__OWN void resume() noexcept
	{
		Calls::resume(&this->span_);
		is_suspended_ = false;
	}

protected:
	STEPTRACE__OWN work() noexcept
	{
	}

	STEPTRACE__OWN ~work()
	{
		if (is_suspended_)
			this->end(STEPTRACE_CANCELLED);
		else if (this->is_left_by_exception())
			end_as_failure();
		else
			this->end(this->chosen_outcome());
	}

private:
	STEPTRACE__OWN void end_as_failure() noexcept
	{
		if (this->span_.error_category == STEPTRACE_ERROR_NONE)
			this->span_.error_category = STEPTRACE_ERROR_GENERAL;
		this->end(STEPTRACE_FAILURE);
	}

	bool is_suspended_ = false;
};

struct nothing {
	template <typename Span> STEPTRACE__OWN void operator()(Span &) const noexcept
	{
	}
};

} // namespace detail

class command : public detail::work<detail::command_calls> {
public:
	template <typename Set = detail::nothing>
	STEPTRACE__OWN explicit command(const char *slug, Set set = Set())
	{
		steptrace_command_init(&span_, slug);
		set(span_);
		steptrace_command_begin(&span_);
		has_begun();
	}

	STEPTRACE__OWN ~command() = default;

	/* The execution id as text: 36 characters and NUL. */
	STEPTRACE__OWN void id(char text[37]) noexcept
	{
		steptrace_command_id(&span_, text);
	}
};

class step : public detail::work<detail::step_calls> {
public:
	template <typename Set = detail::nothing>
	STEPTRACE__OWN step(command &owner, const char *kind, Set set = Set())
	{
		steptrace_step_init(&span_, owner.get(), kind);
		set(span_);
		steptrace_step_begin(&span_);
		has_begun();
	}

	/* A step inside of another step. */
	template <typename Set = detail::nothing>
	STEPTRACE__OWN step(step &outer, const char *kind, Set set = Set())
	{
		steptrace_step_init(&span_, outer.get()->command, kind);
		span_.parent = outer.get();
		set(span_);
		steptrace_step_begin(&span_);
		has_begun();
	}

	STEPTRACE__OWN ~step() = default;

	STEPTRACE__OWN void fragment_changed(int64_t fragment_id,
					     enum steptrace_operation operation) noexcept
	{
		steptrace_fragment_changed(&span_, fragment_id, operation);
	}
};

class tool : public detail::span<detail::tool_calls> {
public:
	/* A tool that a step calls. */
	STEPTRACE__OWN tool(step &caller, const char *slug) noexcept
	{
		steptrace_tool_init(&span_, caller.get()->command, caller.get(), slug);
		steptrace_tool_begin(&span_);
		has_begun();
	}

	/* A tool that the command itself calls. */
	STEPTRACE__OWN tool(command &caller, const char *slug) noexcept
	{
		steptrace_tool_init(&span_, caller.get(), nullptr, slug);
		steptrace_tool_begin(&span_);
		has_begun();
	}

	STEPTRACE__OWN ~tool()
	{
		end(is_left_by_exception() ? STEPTRACE_FAILURE : chosen_outcome());
	}

	/* Ends the tool call now: 0 is success, any other status is failure. */
	STEPTRACE__OWN void exited(int32_t status) noexcept
	{
		span_.exit_status = status;
		span_.has_exit_status = 1;
		end(status ? STEPTRACE_FAILURE : STEPTRACE_SUCCESS);
	}
};

/* Suspends a command or a step as long as this object exists. */
template <typename Work> class suspension {
public:
	STEPTRACE__OWN explicit suspension(Work &work) noexcept : work_(work)
	{
		work_.suspend();
	}

	STEPTRACE__OWN ~suspension()
	{
		work_.resume();
	}

	suspension(const suspension &) = delete;
	suspension &operator=(const suspension &) = delete;

private:
	Work &work_;
};

} // namespace steptrace

#undef STEPTRACE__OWN

#endif
