/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mapi-legacy-dn.h"

char *mapi_legacy_dn_prefix(TALLOC_CTX *mem, const char *organization)
{
	return talloc_asprintf(mem, "/o=%s/ou=Exchange Administrative Group "
			       "(FYDIBOHF23SPDLT)/cn=Recipients/cn=",
			       organization);
}
