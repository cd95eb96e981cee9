/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka wants these headers before its own. */
#ifndef UNIT_CM_H
#define UNIT_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
