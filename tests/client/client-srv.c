/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-srv.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER 65535
/* priority, weight, port */
#define SRV_FIXED_SIZE 6

static int srv_compare(const void *_a, const void *_b)
{
	const struct client_srv_host *a = _a, *b = _b;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return (int)b->weight - (int)a->weight;
}

int client_srv_parse(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		     struct client_srv_host *hosts_r)
{
	char name[NS_MAXDNAME];
	const uint8_t *rdata;
	ns_msg msg;
	ns_rr rr;
	int i, count = 0;

	if (ns_initparse(data, size, &msg) < 0)
		return -1;
	for (i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return -1;
		if (ns_rr_type(rr) != ns_t_srv)
			continue;
		rdata = ns_rr_rdata(rr);
		if (ns_rr_rdlen(rr) <= SRV_FIXED_SIZE ||
		    dn_expand(data, data + size, rdata + SRV_FIXED_SIZE, name,
			      sizeof(name)) < 0)
			return -1;
		/* "." says that there's no such service */
		if (name[0] == '\0' || strcmp(name, ".") == 0 ||
		    count == CLIENT_SRV_MAX_HOSTS)
			continue;
		hosts_r[count].priority = ns_get16(rdata);
		hosts_r[count].weight = ns_get16(rdata + 2);
		hosts_r[count].port = ns_get16(rdata + 4);
		hosts_r[count].name = talloc_strdup(mem, name);
		count++;
	}
	qsort(hosts_r, count, sizeof(*hosts_r), srv_compare);
	return count;
}

int client_srv_lookup(TALLOC_CTX *mem, const char *name,
		      struct client_srv_host *hosts_r, const char **error_r)
{
	uint8_t *answer = talloc_array(mem, uint8_t, MAX_ANSWER);
	int ret = res_query(name, ns_c_in, ns_t_srv, answer, MAX_ANSWER);

	if (ret < 0) {
		talloc_free(answer);
		if (h_errno == HOST_NOT_FOUND || h_errno == NO_DATA)
			return 0;
		*error_r = hstrerror(h_errno);
		return -1;
	}
	ret = client_srv_parse(mem, answer, ret, hosts_r);
	if (ret < 0)
		*error_r = "DNS' answer is malformed";
	talloc_free(answer);
	return ret;
}
