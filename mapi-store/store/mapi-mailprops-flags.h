/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MAILPROPS_FLAGS_H
#define MAPI_MAILPROPS_FLAGS_H

/* Properties of messages that IMAP's flags and keywords express, when they are
   written. (mapi-mailprops-index.c reads flags as properties.)

     PidTagFlagStatus        followupFlagged: \Flagged; complete, none: not
     PidTagIconIndex         replied: \Answered; forwarded: $Forwarded; new, read,
                             unread mail: neither; others: as it was
     PidTagLastVerbExecuted  reply (to all): \Answered; forward: $Forwarded; 0,
                             none: neither; others: as it was
     PidNameKeywords         categories, see mapi-categories.h
     PidTagContentFilterSpamConfidenceLevel
                             5 and more: $Junk; -1: $NotJunk; others, none: neither

   \Seen isn't set by properties but by RopSetMessageReadFlag.

   A message's bag keeps these properties as they were set, as flags don't say
   everything: which reply, "complete", the case of a category's name, names too
   long for keywords. When the message is read, flags are right: a property
   counts only as long as setting it again would change no flag. So what an IMAP
   client does to flags is seen, and what it doesn't touch is as it was saved. */

#include "mail-types.h"
#include "mapi-errors.h"
#include "mapi-overlay.h"

/* mfResend of PidTagMessageFlags, which a client sets before it saves the message
   for the first time ([MS-OXOMSG] 3.2.4.5) */
#define MAPI_KEYWORD_RESEND "$MapiResend"

struct mail;
struct mailbox;

/* Flags and keywords of a message */
struct mapi_flag_state {
	/* open; it says which keywords there can be */
	struct mailbox *box;
	enum mail_flags flags;
	/* never NULL; on the data stack or mail's, valid as long as these */
	const char *const *keywords;
};

/* Whether it's one of the properties above. name: of a named property, else
   NULL. */
bool mapi_flag_prop_is(uint32_t tag, const struct mapi_property_name *name);
/* Whether overlay says anything of any of them */
bool mapi_flag_props_are_in(const struct mapi_overlay *overlay);

/* What mail has now */
void mapi_flag_state_get(struct mail *mail, struct mapi_flag_state *state_r);
/* Makes of state what it is when properties have been set (changes->props) and
   removed (changes->absent). Others than those above are no matter, so of a new
   message it can be all that there is. Of a stored message it should be no more
   than what the client has changed since it opened it: a flag that an IMAP client
   has changed meanwhile would be changed back. */
void mapi_flag_state_apply(struct mapi_flag_state *state,
			   const struct mapi_overlay *changes);
/* Gives mail, in its transaction, the state's flags and keywords; \Recent is no
   matter. Nothing is written if they are the same. */
enum mapi_error
mapi_flag_state_write(struct mail *mail, const struct mapi_flag_state *state);

/* All three. changed_r: whether anything is different now */
enum mapi_error
mapi_flag_props_apply(struct mail *mail, const struct mapi_overlay *changes,
		      bool *changed_r);

/* For a bag that has been read, before anybody sees it: removes properties that
   contradict the message's flags, and what means nothing without these (dates
   of a follow-up flag, time of the last verb). Of categories only those are
   removed whose keywords are gone, and those with new keywords added. */
void mapi_flag_props_reconcile(const struct mapi_flag_state *state,
			       struct mapi_overlay *overlay);
/* With what mail has now. overlay may be NULL. */
void mapi_flag_props_reconcile_mail(struct mail *mail,
				    struct mapi_overlay *overlay);

#endif
