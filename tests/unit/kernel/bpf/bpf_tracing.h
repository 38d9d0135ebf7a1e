/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of libbpf's header of this name. */
#ifndef TESTS_BPF_TRACING_H
#define TESTS_BPF_TRACING_H

#define PT_REGS_PARM1(regs) (regs)->di

#endif
