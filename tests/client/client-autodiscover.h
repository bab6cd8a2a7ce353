/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_AUTODISCOVER_H
#define CLIENT_AUTODISCOVER_H

/* Finds a mailbox by an e-mail address and a password, as Outlook does:
   [MS-OXDISCO] 3.1.5 (where to ask), [MS-OXDSCLI] 2.2.3, 2.2.4 (what).

   These are asked until one answers: https://DOMAIN/autodiscover/..., the same at
   autodiscover.DOMAIN, the hosts of DNS' SRV records _autodiscover._tcp.DOMAIN,
   and where http://autodiscover.DOMAIN/autodiscover/... redirects to. Whatever
   one of them fails by, the next is tried.

   The password is sent over TLS only (unless the caller names a URL without),
   and only to who has asked for it by HTTP 401 with Basic. Redirections go to
   https only, at most CLIENT_AUTODISCOVER_MAX_REDIRECTS of them. */

#include "client-http.h"

#define CLIENT_AUTODISCOVER_MAX_REDIRECTS 10
/* an answer that is longer is none */
#define CLIENT_AUTODISCOVER_MAX_BODY (256 * 1024)

enum client_autodiscover_method {
	/* the URL that the caller has named */
	CLIENT_AUTODISCOVER_URL,
	CLIENT_AUTODISCOVER_DOMAIN,
	CLIENT_AUTODISCOVER_HOST,
	CLIENT_AUTODISCOVER_SRV,
	CLIENT_AUTODISCOVER_HTTP_REDIRECT,
	/* where the attempt before it has redirected to */
	CLIENT_AUTODISCOVER_FOLLOW,
};

struct client_autodiscover_params {
	/* url isn't used; user and password are for HTTP */
	struct client_http_params http;
	const char *address;
	/* ask only this URL; NULL = where the address leads to */
	const char *url;
	/* follow also what only DNS or plain HTTP says and leads out of the
	   address' domain; Outlook asks its user then */
	bool trust_redirects;
	bool no_srv;
};

struct client_autodiscover_attempt {
	enum client_autodiscover_method method;
	/* a URL, or the name of the SRV record */
	const char *url;
	/* CLIENT_FAIL_NONE if it gave the answer or led to the next attempt */
	struct client_error error;
	/* a URL or an address, NULL if it didn't redirect */
	const char *redirected_to;
	/* what the server wants to be authenticated by ("Basic"), NULL if it
	   hasn't said so */
	const char *challenges;
};

/* AlternativeMailbox, [MS-OXDSCLI] 2.2.4.1.1.2.2: what Outlook opens besides.
   NULL where the element isn't there. */
struct client_autodiscover_mailbox {
	const char *type, *display_name, *legacy_dn, *server;
	const char *smtp_address, *owner_smtp_address;
};

struct client_autodiscover_urls {
	const char *external, *internal;
};

/* The parts of an answer; NULL and 0 where an element isn't there. */
struct client_autodiscover_answer {
	/* Error */
	unsigned int error_code;
	const char *error_message, *error_debug;
	/* User */
	const char *display_name, *legacy_dn, *smtp_address, *deployment_id;
	/* Account */
	const char *action, *redirect_url, *redirect_addr;
	/* the protocol mapiHttp */
	struct client_autodiscover_urls mailbox, addressbook;
	/* types of all protocols: "mapiHttp", "EXCH" */
	const char **protocols;
	unsigned int protocol_count;
	struct client_autodiscover_mailbox *mailboxes;
	unsigned int mailbox_count;
};

struct client_autodiscover {
	/* the address that the answer is about: another than the caller's
	   after a redirection */
	const char *address;
	struct client_autodiscover_attempt *attempts;
	unsigned int attempt_count;

	/* all below NULL unless successful */
	const char *url;
	struct client_autodiscover_answer *answer;
	/* the external URL where there is one, else the internal one;
	   addressbook_url may be NULL */
	const char *mailbox_url, *addressbook_url;
	/* what a server must or must not answer, one line each */
	const char **violations;
	unsigned int violation_count;
};

/* Returns 0, or -1 with error_r set: the attempt's failure that says most.
   *result_r is set in both cases, on mem. */
int client_autodiscover(TALLOC_CTX *mem,
			const struct client_autodiscover_params *params,
			struct client_autodiscover **result_r,
			struct client_error *error_r);

/* "the domain itself", ... for humans */
const char *
client_autodiscover_method_name(enum client_autodiscover_method method);
/* The domain of an address, NULL if it has none that can be a host's name. */
const char *client_autodiscover_domain(const char *address);
/* Body of a request for the address, UTF-8 */
const char *client_autodiscover_request(TALLOC_CTX *mem, const char *address);
/* Reads an answer. Document types (and so entities) are refused; depth, length
   of texts and number of elements are bounded. Returns -1 with *error_r set
   (static or on mem) if it isn't one. */
int client_autodiscover_parse(TALLOC_CTX *mem, const void *data, size_t size,
			      struct client_autodiscover_answer **answer_r,
			      const char **error_r);

#endif
