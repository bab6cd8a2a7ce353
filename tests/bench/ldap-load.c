/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an LDAP server can do: searches one after the other over one connection,
   as a client would make them that asks the directory itself.

   ldap-load URI BIND-DN PASSWORD BASE LIMIT FILTERS ATTRIBUTE...

   FILTERS is a file with a filter in each line; a search ends after LIMIT
   entries (0 = no limit). Prints as JSON how many searches per second there
   were and how many entries they have found. */

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void fail(const char *what, int ret)
{
	fprintf(stderr, "ldap-load: %s: %s\n", what, ldap_err2string(ret));
	exit(1);
}

static LDAP *connect_to(const char *uri, const char *dn, char *password)
{
	int ret, version = LDAP_VERSION3;
	struct berval cred;
	LDAP *ld;

	ret = ldap_initialize(&ld, uri);
	if (ret != LDAP_SUCCESS)
		fail(uri, ret);
	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	cred.bv_val = password;
	cred.bv_len = strlen(password);
	ret = ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &cred, NULL, NULL,
			       NULL);
	if (ret != LDAP_SUCCESS)
		fail("bind", ret);
	return ld;
}

/* Looks at all values, as a client has to. */
static size_t read_entries(LDAP *ld, LDAPMessage *result)
{
	struct berval dn, attr, *values;
	LDAPMessage *entry;
	BerElement *ber;
	size_t bytes = 0;

	for (entry = ldap_first_entry(ld, result); entry != NULL;
	     entry = ldap_next_entry(ld, entry)) {
		if (ldap_get_dn_ber(ld, entry, &ber, &dn) != LDAP_SUCCESS)
			continue;
		while (ldap_get_attribute_ber(ld, entry, ber, &attr,
					      &values) == LDAP_SUCCESS &&
		       attr.bv_val != NULL) {
			for (unsigned int i = 0; values != NULL &&
			     values[i].bv_val != NULL; i++)
				bytes += values[i].bv_len;
			ber_memfree(values);
		}
		ber_free(ber, 0);
	}
	return bytes;
}

int main(int argc, char *argv[])
{
	unsigned long count = 0, entries = 0;
	size_t bytes = 0;
	LDAPMessage *result;
	char line[4096];
	double start;
	LDAP *ld;
	FILE *f;
	int ret, limit;

	if (argc < 8) {
		fprintf(stderr, "Usage: ldap-load URI BIND-DN PASSWORD BASE "
			"LIMIT FILTERS ATTRIBUTE...\n");
		return 64;
	}
	limit = atoi(argv[5]);
	f = fopen(argv[6], "r");
	if (f == NULL) {
		perror(argv[6]);
		return 1;
	}
	ld = connect_to(argv[1], argv[2], argv[3]);
	start = now();
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		result = NULL;
		ret = ldap_search_ext_s(ld, argv[4], LDAP_SCOPE_SUBTREE, line,
					&argv[7], 0, NULL, NULL, NULL, limit,
					&result);
		if (ret != LDAP_SUCCESS && ret != LDAP_SIZELIMIT_EXCEEDED)
			fail(line, ret);
		entries += ldap_count_entries(ld, result);
		bytes += read_entries(ld, result);
		ldap_msgfree(result);
		count++;
	}
	printf("{\"searches_per_second\": %.1f, \"searches\": %lu, "
	       "\"entries\": %lu, \"bytes\": %zu}\n",
	       count / (now() - start), count, entries, bytes);
	ldap_unbind_ext_s(ld, NULL, NULL);
	fclose(f);
	return 0;
}
