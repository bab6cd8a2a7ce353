/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mapi-legacy-dn.h"

#define ADMINISTRATIVE_GROUP \
	"/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"

char *mapi_legacy_dn_prefix(TALLOC_CTX *mem, const char *organization)
{
	return talloc_asprintf(mem, ADMINISTRATIVE_GROUP "/cn=Recipients/cn=",
			       organization);
}

char *mapi_legacy_dn_server(TALLOC_CTX *mem, const char *organization,
			    const char *server)
{
	return talloc_asprintf(mem, ADMINISTRATIVE_GROUP
			       "/cn=Configuration/cn=Servers/cn=%s",
			       organization, server);
}
