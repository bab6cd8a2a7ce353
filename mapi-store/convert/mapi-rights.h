/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RIGHTS_H
#define MAPI_RIGHTS_H

/* The rights of [MS-OXCPERM] 2.2.7 (RIGHTS_* of mapi-enums.h) and those of IMAP
   ACLs (RFC 4314), as Dovecot has them.

     FolderVisible	l
     ReadAny		r
     Create		i p	p: put there by a delivery
     EditAny		w s	s is of no use without r
     DeleteAny		t e
     CreateSubFolder	k
     FolderOwner	a x

   What MAPI tells apart and ACLs don't, EditOwned, DeleteOwned (where that is less
   than EditAny, DeleteAny), FolderContact and what others see of free and busy
   times, has no letter. ACLs that MAPI
   can't say (lrs, say) are taken for the MAPI rights that they include. */

#include <stdbool.h>
#include <stdint.h>

enum mapi_acl_right {
	MAPI_ACL_LOOKUP		= 0x001,	/* l */
	MAPI_ACL_READ		= 0x002,	/* r */
	MAPI_ACL_WRITE		= 0x004,	/* w */
	MAPI_ACL_WRITE_SEEN	= 0x008,	/* s */
	MAPI_ACL_WRITE_DELETED	= 0x010,	/* t */
	MAPI_ACL_INSERT		= 0x020,	/* i */
	MAPI_ACL_POST		= 0x040,	/* p */
	MAPI_ACL_EXPUNGE	= 0x080,	/* e */
	MAPI_ACL_CREATE		= 0x100,	/* k */
	MAPI_ACL_DELETE		= 0x200,	/* x */
	MAPI_ACL_ADMIN		= 0x400,	/* a */
};
#define MAPI_ACL_ALL 0x7ffU

/* All that PidTagRights can say: not the free/busy bits, [MS-OXCFOLD]
   2.2.2.2.2.8 */
#define MAPI_RIGHTS_ALL 0x7fbU
/* All that PidTagMemberRights can say */
#define MAPI_RIGHTS_MEMBER_ALL 0x1ffbU
#define MAPI_RIGHTS_FREE_BUSY 0x1800U

/* MAPI_ACL_* for RIGHTS_* */
uint32_t mapi_rights_to_acl(uint32_t rights);
/* RIGHTS_* for MAPI_ACL_*. Whoever may read may see free and busy times,
   too. */
uint32_t mapi_rights_from_acl(uint32_t acl);
/* Makes rights consistent: who may do something to all messages may do it to the
   own ones ([MS-OXCPERM] 2.2.7 has clients set both); what isn't defined is
   left out. */
uint32_t mapi_rights_normalize(uint32_t rights);

/* PidTagAccess (MAPI_ACCESS_*) of a folder, [MS-OXCPRPT] 2.2.1.1, to somebody
   with these RIGHTS_* and MAPI_ACL_* */
uint32_t mapi_rights_folder_access(uint32_t rights, uint32_t acl);
/* PidTagAccess of a message, which may be one that the user has created (own); of a
   folder-associated one, which only owners of the folder may change. */
uint32_t mapi_rights_message_access(uint32_t rights, bool own);
uint32_t mapi_rights_associated_access(uint32_t rights);

#endif
