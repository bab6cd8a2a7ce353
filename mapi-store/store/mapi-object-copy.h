/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_OBJECT_COPY_H
#define MAPI_OBJECT_COPY_H

/* Copying properties from one object to another one of the same type, which may be
   another store's, [MS-OXCPRPT] 2.2.10, 2.2.11. What large values take of memory doesn't depend on their size.

   Of a message, PidTagMessageRecipients and PidTagMessageAttachments stand for its
   recipients and attachments (with the messages embedded in them), which replace
   those that the destination has. The destination isn't saved.

   Of a folder, PidTagContainerContents, PidTagFolderAssociatedContents and
   PidTagContainerHierarchy stand for its messages and subfolders, which come to those
   that the destination has. */

#include "mapi-object.h"

struct mapi_copy {
	struct mapi_object *source, *dest;
	/* what has been copied is removed from the source */
	bool move;
	/* what the destination has stays */
	bool no_overwrite;
};

/* Copies these properties. errors_r[count] is what each could not be copied for:
   EC_NOT_FOUND if the source doesn't have it. Returns an error if none has been
   copied: EC_NOT_SUPPORTED if both are of different types, or the destination can't
   be changed; EC_MESSAGE_CYCLE, EC_FOLDER_CYCLE if source and destination are the
   same, or the destination is a message in the source. Of folders whose subfolders
   are to be copied, EC_FOLDER_CYCLE also if the destination is one of these, and
   EC_DUPLICATE_NAME if it has one of the same name; EC_NOT_SUPPORTED for what is in
   search folders. */
enum mapi_error
mapi_object_copy_props(const struct mapi_copy *copy, const uint32_t *tags,
		       unsigned int count, enum mapi_error *errors_r);

/* Copies all properties but excluded ones, of which the type doesn't matter, and
   what is computed. sub_objects: what properties stand for, too, unless they are
   excluded. What could not be copied is in problems_r, from mem. The source of a
   move keeps nothing that the destination got. */
struct mapi_copy_problem {
	uint32_t tag;
	enum mapi_error error;
};
enum mapi_error
mapi_object_copy_to(const struct mapi_copy *copy, TALLOC_CTX *mem,
		    const uint32_t *excluded, unsigned int excluded_count,
		    bool sub_objects, struct mapi_copy_problem **problems_r,
		    unsigned int *count_r);

/* What the properties of the source's store are called in that of the destination: a
   name has another id there. 0 for those that nobody knows the name of, or that the
   user may not give an id there. On mem, or tags itself. */
enum mapi_error
mapi_copy_dest_tags(const struct mapi_copy *copy, TALLOC_CTX *mem,
		    const uint32_t *tags, unsigned int count,
		    const uint32_t **dest_tags_r);

/* mapi-folder-copy-to.c: what stands for what is in a folder */
bool mapi_folder_copy_is_sub_object(uint32_t tag);
/* To be called before anything is copied, with all tags. */
enum mapi_error
mapi_folder_copy_check(const struct mapi_copy *copy, const uint32_t *tags,
		       unsigned int count);
/* EC_PARTIAL_COMPLETION if some messages couldn't be copied */
enum mapi_error
mapi_folder_copy_sub_object(const struct mapi_copy *copy, uint32_t tag);

/* mapi-message-copy.c */
/* Whether inner, as it was opened, is embedded in the message outer, directly or
   not. */
bool mapi_message_contains(struct mapi_object *outer, struct mapi_object *inner);
enum mapi_error mapi_message_copy_recipients(const struct mapi_copy *copy);
enum mapi_error mapi_message_copy_attachments(const struct mapi_copy *copy);
/* The message that is embedded in an attachment; *copied_r is FALSE if there's
   none. */
enum mapi_error
mapi_attachment_copy_embedded(const struct mapi_copy *copy, bool *copied_r);

#endif
