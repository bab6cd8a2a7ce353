/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MAILPROPS_H
#define MAPI_MAILPROPS_H

/* Properties of messages seen through a struct mail: the column program of
   contents tables, and the base of message objects. What Dovecot's index and
   cache can answer is answered from there; bodies are opened only for
   properties that are in them. */

#include "mapi-folder.h"

struct mail;
struct mailbox_header_lookup_ctx;
struct mapi_mailprops;

/* Compiles a set of columns for messages of a folder. tags are copied. The
   folder's mailbox must be open. associated: FAI messages. */
struct mapi_mailprops *
mapi_mailprops_init(TALLOC_CTX *parent, struct mapi_folder *folder,
		    bool associated, const uint32_t *tags, unsigned int count);

/* What to give to mail_alloc() / mailbox_search_init(), so that lib-storage
   prefetches and caches. */
void mapi_mailprops_wanted(struct mapi_mailprops *props,
			   unsigned int *mail_fetch_fields_r,
			   struct mailbox_header_lookup_ctx **headers_r);

/* Evaluates the columns for the message that mail is set to (mail_set_seq or
   mail_set_uid). values_r has room for all columns; values are allocated from
   mem. Strings longer than max_size bytes are cut at max_size (tables cut at
   510 bytes, [MS-OXCTABL] 2.2.1); SIZE_MAX for no limit.
   EC_OBJECT_DELETED if the message has been expunged meanwhile. */
enum mapi_error
mapi_mailprops_get(struct mapi_mailprops *props, struct mail *mail,
		   TALLOC_CTX *mem, size_t max_size,
		   struct mapi_value *values_r);

#endif
