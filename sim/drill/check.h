/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that can be wrong with a script is found before its first packet. */
#ifndef DRILL_CHECK_H
#define DRILL_CHECK_H

#include "drill.h"
#include "lex.h"

void check_script(struct lex *x, struct drill_script *s);

#endif
