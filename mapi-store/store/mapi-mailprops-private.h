/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MAILPROPS_PRIVATE_H
#define MAPI_MAILPROPS_PRIVATE_H

/* How each property of a message is got that isn't derived from its text: the
   tables in mapi-mailprops-*.c are the only place where these are listed. */

#include "mapi-mailprops.h"
#include "mapi-message-view.h"
#include "mapi-props.h"

struct mapi_mailprop;

/* Gives the value, allocated from mem. Errors become the cell's value, except
   that EC_OBJECT_DELETED ends the row. */
typedef enum mapi_error
mapi_mailprop_get_t(struct mapi_message_view *view,
		    const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		    struct mapi_value *value_r);

enum mapi_mailprop_flags {
	/* only stored messages have it */
	MAILPROP_STORED		= 0x01,
	/* has two types under one id: the second comes with another row */
	MAILPROP_VARIANT	= 0x02,
};

struct mapi_mailprop {
	/* named properties: id 0 */
	uint32_t tag;
	mapi_mailprop_get_t *get;
	/* what get's function is told */
	int arg;
	/* what lib-storage should prefetch: enum mail_fetch_field */
	unsigned int fetch;
	/* another property whose header fields this one needs, 0 if none */
	uint32_t header_tags[2];
	enum mapi_mailprop_flags flags;
	/* named properties */
	const struct mapi_guid *set;
	uint32_t lid;
	const char *name;
};

/* Properties that come from what the index knows of a message, and from who the
   mailbox's owner is; ended by one without get. All others are derived from
   the message (convert/). */
extern const struct mapi_mailprop mapi_mailprops_index[];
extern const struct mapi_mailprop mapi_mailprops_owner[];
/* who the directory may know: the sender */
extern const struct mapi_mailprop mapi_mailprops_directory[];
/* when and by whom it has been modified, and who has created it */
extern const struct mapi_mailprop mapi_mailprops_modified[];

/* What is derived from the message. EC_NOT_FOUND if there's no such thing. */
enum mapi_error
mapi_mailprop_from_mime(struct mapi_message_view *view, TALLOC_CTX *mem,
			uint32_t tag, struct mapi_value *value_r);
/* The mailbox's owner is the sender. */
enum mapi_error
mapi_mailprop_is_from_me(struct mapi_message_view *view, TALLOC_CTX *mem,
			 bool *yes_r);

/* A property of an overlay: found_r is FALSE if it says nothing of it. Streams of
   more than max_size bytes are EC_NOT_ENOUGH_MEMORY. */
enum mapi_error
mapi_overlay_get_value(const struct mapi_overlay *overlay, uint32_t tag,
		       TALLOC_CTX *mem, size_t max_size,
		       struct mapi_value *value_r, bool *found_r);

/* PidTagHtml, which is bytes in the code page of PidTagInternetCodepage, as
   PidTagBodyHtml. value is changed to it, on mem. */
enum mapi_error
mapi_mailprops_html_to_str(struct mapi_message_view *view, TALLOC_CTX *mem,
			   struct mapi_value *value);

/* mapi-mailprops-modified.c: sets when and by whom a message has been modified in what
   is going to be its bag. */
void mapi_modified_set(struct mapi_store *store, struct mapi_propset *props,
		       uint64_t filetime);
/* The user as the creator of a message that hasn't been saved yet */
void mapi_creator_set(struct mapi_store *store, struct mapi_propset *props);
/* Whether the one who is going to save it is another one than the last, so that the
   bag has to say so. overlay may be NULL. */
bool mapi_modifier_is_other(struct mapi_store *store,
			    const struct mapi_overlay *overlay);

/* Evaluates properties of a message. tags are as a client sends them, values_r
   as of mapi_object_vfuncs.get_props. */
enum mapi_error
mapi_mailprops_eval(struct mapi_message_view *view, TALLOC_CTX *mem,
		    const uint32_t *tags, unsigned int count, size_t max_size,
		    struct mapi_value *values_r);
/* The tags of all properties that the message has. */
enum mapi_error
mapi_mailprops_list(struct mapi_message_view *view, TALLOC_CTX *mem,
		    const uint32_t **tags_r, unsigned int *count_r);

#endif
