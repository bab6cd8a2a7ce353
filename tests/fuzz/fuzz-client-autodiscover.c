/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What servers and DNS answer to the client: the first byte says which. */

#include "client-autodiscover.h"
#include "client-srv.h"

#include <stdlib.h>
#include <string.h>

#define FUZZ_DNS 'd'

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_dns(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	struct client_srv_host hosts[CLIENT_SRV_MAX_HOSTS];
	int i, count = client_srv_parse(mem, data, size, hosts);

	if (count > CLIENT_SRV_MAX_HOSTS)
		abort();
	for (i = 0; i < count; i++) {
		if (hosts[i].name[0] == '\0' ||
		    (i > 0 && hosts[i - 1].priority > hosts[i].priority))
			abort();
	}
}

static void fuzz_xml(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	struct client_autodiscover_answer *answer = NULL;
	const char *error = NULL;
	unsigned int i;

	if (client_autodiscover_parse(mem, data, size, &answer, &error) < 0) {
		if (error == NULL || answer != NULL)
			abort();
		return;
	}
	for (i = 0; i < answer->protocol_count; i++) {
		if (answer->protocols[i] == NULL)
			abort();
	}
	/* in UTF-8 it may be longer than as it came */
	if (answer->legacy_dn != NULL && strlen(answer->legacy_dn) > 2 * size)
		abort();
	(void)client_autodiscover_domain(answer->redirect_addr == NULL ? "" :
					 answer->redirect_addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	if (size > 0 && data[0] == FUZZ_DNS)
		fuzz_dns(mem, data + 1, size - 1);
	else if (size > 0)
		fuzz_xml(mem, data + 1, size - 1);
	talloc_free(mem);
	return 0;
}
