/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_PARTS_H
#define MIME_PARTS_H

/* Private to this folder. */

#include "lib.h"

struct message_part_data;

/* Fills in what a Content-* field (in any case, others are ignored) says,
   unless an earlier field of that name has done so. value is unfolded or
   not. */
void mime_part_data_parse(pool_t pool, struct message_part_data *data,
			  const char *name, const char *value);

#endif
