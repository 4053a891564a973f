/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces: fixed-size records of what happened and which rule made it happen. The last TRACE_RING of them are
 * kept for a panic; all of them go to env.trace when the caller wants them. Names are tables made from the
 * lists in trace.h and drop.h, so a name cannot be missing. Recording changes nothing that the protocols can
 * see.
 */
#include <base/base.h>
#include <string.h>
#include <trace.h>

_Static_assert(sizeof(nst_trace_event) == 48, "records are hashed and written to files: no padding");
/* The ids that netstack.h promises. */
_Static_assert(NST_EV_DROP_ID == (int)NST_TRACE_DROP, "drop");
_Static_assert(NST_EV_TCP_STATE_ID == (int)NST_TRACE_TCP_STATE, "tcp_state");
_Static_assert(NST_EV_TCP_SEND_ID == (int)NST_TRACE_TCP_SEND, "tcp_send");
_Static_assert(NST_EV_DATAGRAM_ID == (int)NST_TRACE_DATAGRAM, "datagram");

struct name_pair {
    const char *name, *text;
};

static const struct name_pair traces[NST_TRACE_ID_COUNT] = {
#define NST_X(id, name, fields) {name, fields},
    NST_TRACES(NST_X)
#undef NST_X
};

static const char *const rules[NST_RULE_COUNT] = {
#define NST_X(id, text) text,
    NST_RULES(NST_X)
#undef NST_X
};

static const char *const details[NST_RULE_COUNT] = {
#define NST_X(id, text) [NST_RULE_##id] = text,
    NST_RULE_DETAILS(NST_X)
#undef NST_X
};

static const struct name_pair drops[NST_DROP_COUNT] = {
#define NST_X(id, name, text) {name, text},
    NST_DROPS(NST_X)
#undef NST_X
};

const char *nst_trace_name(unsigned id) { return id < NST_TRACE_ID_COUNT ? traces[id].name : NULL; }
const char *nst_trace_fields(unsigned id) { return id < NST_TRACE_ID_COUNT ? traces[id].text : NULL; }
const char *nst_rule_text(unsigned rule) { return rule < NST_RULE_COUNT ? rules[rule] : NULL; }
const char *nst_rule_detail(unsigned rule) { return rule < NST_RULE_COUNT ? details[rule] : NULL; }
const char *nst_drop_name(unsigned drop_id) { return drop_id < NST_DROP_COUNT ? drops[drop_id].name : NULL; }
const char *nst_drop_text(unsigned drop_id) { return drop_id < NST_DROP_COUNT ? drops[drop_id].text : NULL; }
