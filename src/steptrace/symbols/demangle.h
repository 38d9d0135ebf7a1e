/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as the programmer wrote them: "_ZN6Basket3addEi" becomes "Basket::add". C++, and Rust in
 * both of its forms. Parameters are left out, as perf does: they make the name of a template longer
 * than a line.
 *
 * By libiberty, which binutils and gdb use: it is maintained with the C++ compiler, and knows Rust.
 * The function of libstdc++, __cxa_demangle, is the same code without Rust and without a choice of
 * what is shown, and the tracer would be linked with the C++ library.
 */
#ifndef STEPTRACE_SYMBOLS_DEMANGLE_H
#define STEPTRACE_SYMBOLS_DEMANGLE_H

/* The caller frees it. NULL: the name is not a mangled one, or there is no memory. */
char *demangle(const char *name);

#endif
