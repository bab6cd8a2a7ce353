/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_LEGACY_DN_H
#define MAPI_LEGACY_DN_H

/* The distinguished names (legacyExchangeDN) that are made up where the
   directory has none, [MS-OXOABK] 2.2.1.1. They are inside of entry ids that
   clients keep, so they must not change. */

#include <talloc.h>

/* What those of all recipients of the organisation begin with; the username
   follows. On mem. */
char *mapi_legacy_dn_prefix(TALLOC_CTX *mem, const char *organization);
/* That of a server, of which server is the name. On mem. */
char *mapi_legacy_dn_server(TALLOC_CTX *mem, const char *organization,
			    const char *server);

#endif
