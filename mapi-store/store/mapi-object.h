/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_OBJECT_H
#define MAPI_OBJECT_H

/* What all server objects that a client can have a handle of share.

   Objects are talloc'ed, each with struct mapi_object as its first member and
   a destructor for what talloc does not know (mailboxes, streams). Whoever
   opens an object gives the talloc parent; the session frees it when the
   client releases the handle. Objects opened through another are siblings of
   it, never children: Outlook releases a folder and goes on using the message
   that it opened through it. */

#include "mapi-value.h"
#include "mapi-errors.h"

struct mapi_store;
struct mapi_stream;
struct mapi_object;

/* Bits, so that a ROP can name the types it works on. */
enum mapi_object_type {
	MAPI_OBJECT_LOGON		= 0x01,
	MAPI_OBJECT_FOLDER		= 0x02,
	MAPI_OBJECT_MESSAGE		= 0x04,
	MAPI_OBJECT_ATTACHMENT		= 0x08,
	MAPI_OBJECT_TABLE		= 0x10,
	MAPI_OBJECT_STREAM		= 0x20,
	MAPI_OBJECT_SUBSCRIPTION	= 0x40,
};
/* the objects that have properties */
#define MAPI_OBJECTS_WITH_PROPERTIES \
	(MAPI_OBJECT_LOGON | MAPI_OBJECT_FOLDER | MAPI_OBJECT_MESSAGE | \
	 MAPI_OBJECT_ATTACHMENT)
#define MAPI_OBJECTS_ALL \
	(MAPI_OBJECTS_WITH_PROPERTIES | MAPI_OBJECT_TABLE | \
	 MAPI_OBJECT_STREAM | MAPI_OBJECT_SUBSCRIPTION)

/* Property tags here are as the client sent them: the type may be
   PTYP_UNSPECIFIED (the object's own type is wanted) or PTYP_STRING8 for a
   string property. An object answers with the type that it has; converting
   to string8 is done by the ROP layer (mapi_object_get_props() does it). */
struct mapi_object_vfuncs {
	/* Fills values_r[count], one for each tag. A value that cannot be had
	   is PTYP_ERROR_CODE: EC_NOT_FOUND if the object does not have it,
	   EC_NOT_ENOUGH_MEMORY if it is so large that it must be
	   read as a stream (see max_size). Values are allocated from mem.
	   Returns an error only where nothing can be answered at all (the
	   message has been expunged, the storage failed). */
	enum mapi_error (*get_props)(struct mapi_object *obj, TALLOC_CTX *mem,
				     const uint32_t *tags, unsigned int count,
				     size_t max_size,
				     struct mapi_value *values_r);
	/* The tags of all properties that the object has, without opening
	   more than needed; large ones (bodies) are listed, too. */
	enum mapi_error (*list_props)(struct mapi_object *obj, TALLOC_CTX *mem,
				      const uint32_t **tags_r,
				      unsigned int *count_r);
	/* Opens a property as a stream for reading. tag's type is one of
	   PTYP_BINARY, PTYP_STRING, PTYP_STRING8, PTYP_OBJECT. */
	enum mapi_error (*open_stream)(struct mapi_object *obj,
				       TALLOC_CTX *parent, uint32_t tag,
				       struct mapi_stream **stream_r);
	/* Changes properties; strings are PTYP_STRING. errors_r[count] is what
	   each could not be changed for. Returns an error if none has been
	   changed. NULL for objects that can't be written to. */
	enum mapi_error (*set_props)(struct mapi_object *obj,
				     const struct mapi_property *props,
				     unsigned int count,
				     enum mapi_error *errors_r);
	/* Removes properties; errors_r as above. Removing one that isn't there
	   is no error. NULL as above. */
	enum mapi_error (*delete_props)(struct mapi_object *obj,
					const uint32_t *tags,
					unsigned int count,
					enum mapi_error *errors_r);
	/* Opens a property as a stream that can be written to, see
	   mapi_stream_create_write(). tag's type as of open_stream. create:
	   the stream is empty, whatever the property is; otherwise it begins
	   as what the property is, EC_NOT_FOUND if there's none. NULL: not
	   supported. */
	enum mapi_error (*open_stream_write)(struct mapi_object *obj,
					     TALLOC_CTX *parent, uint32_t tag,
					     bool create,
					     struct mapi_stream **stream_r);
};

struct mapi_object {
	enum mapi_object_type type;
	/* the store that the object lives in */
	struct mapi_store *store;
	/* NULL for objects without properties */
	const struct mapi_object_vfuncs *v;
};

#endif
