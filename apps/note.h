/* SPDX-License-Identifier: Apache-2.0 */
/* Words for "why was this frame sent": the comment of a recorded packet. */
#ifndef APPS_NOTE_H
#define APPS_NOTE_H

#include "netstack.h"

/* "RFC ...: rule; conn 1 ESTABLISHED cwnd 14480 ssthresh ... flight ... wnd ... rto 200000us srtt 90us", as a
 * NUL-terminated string, cut to out_size. Returns its length; 0 when the note says nothing. */
size_t note_text(const nst_tx_note *note, char *out, size_t out_size);

#endif
