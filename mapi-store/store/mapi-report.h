/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_REPORT_H
#define MAPI_REPORT_H

/* What messages that the server writes by itself have in common: read receipts
   (mapi-receipt.h) and reports of what couldn't be delivered (mapi-submit.h). */

#include "mapi-content.h"
#include "mapi-store.h"

/* A string property */
void mapi_content_set_str(struct mapi_content *content, uint32_t tag,
			  const char *str);
/* Adds somebody whom the message is for, or is about: To. name may be NULL. */
struct mapi_content_recipient *
mapi_report_add_recipient(struct mapi_content *content, const char *address,
			  const char *name);
/* The class; the subject: prefix and that of the message that it's about; which that
   is, if its id isn't empty; a new Message-ID; that it's sent now, and not by a
   human ([RFC3834]). */
void mapi_report_init(struct mapi_content *content, struct mapi_store *store,
		      const char *class, const char *prefix,
		      const char *subject, const char *message_id);
/* From and Sender */
void mapi_report_set_sender(struct mapi_content *content, const char *name,
			    const char *address);

#endif
