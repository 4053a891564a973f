/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the planted bugs; empty but in netcore_plant. */
#include <base/base.h>

typedef int plant_is_not_empty;

#ifdef NST_PLANT
static const nst_plant_info plants[PLANT_COUNT] = {
#define NST_X(id, name, k, text) {name, k, text},
    NST_PLANTS(NST_X)
#undef NST_X
};

const nst_plant_info *nst_plant_get_info(unsigned plant) { return plant < PLANT_COUNT ? &plants[plant] : NULL; }
#endif
