/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_IDSET_PRIVATE_H
#define MAPI_IDSET_PRIVATE_H

#include "mapi-idset.h"

/* Appends without merging; *unsorted is set if mapi_globset_sort() is needed
   before the set is one again. */
bool mapi_globset_add_unsorted(struct mapi_globset *set, uint64_t low,
			       uint64_t high, bool *unsorted);
void mapi_globset_sort(struct mapi_globset *set);

#endif
