/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STORE_QUOTA_H
#define MAPI_STORE_QUOTA_H

/* The limits that Dovecot's quota plugin enforces on a mailbox, for
   [MS-OXCSTOR] 2.2.2.1.1.3 and 2.2.2.1.1.4. The plugin is asked if it's loaded;
   nothing here is linked with it. */

struct mail_user;

struct mapi_store_quota {
	/* All in kilobytes. From this size on nothing more is accepted. */
	uint64_t limit;
	/* From this size on somebody is warned: the lowest quota_warning of
	   the root that has the limit; without one the same as limit. */
	uint64_t warning;
};

/* Of the quota roots that count for the user's INBOX, are enforced and aren't
   hidden, the one with the lowest limit. Returns 1 if there is one; 0 if the
   user's mailbox may have any size, also because the plugin isn't loaded; -1 if
   it can't be told now (that's logged). */
int mapi_store_quota_get(struct mail_user *user,
			 struct mapi_store_quota *quota_r);

#endif
