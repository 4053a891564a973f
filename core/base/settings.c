/* SPDX-License-Identifier: Apache-2.0
 *
 * The table behind the settings: NST_SETTINGS of netstack.h is the only place where one is written down.
 * Values in force belong to each stack (base.set), never to this table.
 */
#include <base/base.h>

static const nst_setting_info settings[NST_SET_COUNT] = {
#define NST_X(id, name, def, min, max, unit, source, help) {name, unit, source, help, def, min, max},
    NST_SETTINGS(NST_X)
#undef NST_X
};

const nst_setting_info *nst_setting_get_info(unsigned setting)
{
    return setting < NST_SET_COUNT ? &settings[setting] : NULL;
}
