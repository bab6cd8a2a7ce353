/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_WRITER_H
#define DIRECTORY_WRITER_H

/* Has mapi-directory change the directory. */

#include "nspi.h"

/* EC_NONE, or EC_ACCESS_DENIED whatever the reason, as [MS-OXNSPI] 3.1.4.1.15
   has it for changes that can't be applied */
typedef void directory_writer_callback_t(void *context, enum mapi_error error);

/* path: mapi-directory's socket */
void directory_writer_init(const char *path);
/* Callbacks of what isn't done are called. */
void directory_writer_deinit(void);

/* The change isn't needed any more when this returns. The callback may have
   been called by then. */
void directory_writer_change(const struct nspi_change *change,
			     directory_writer_callback_t *callback,
			     void *context);

#endif
