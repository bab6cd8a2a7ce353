/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an operator should look at when something has failed */

#include "client-error.h"
#include "mapi-errors.h"

#include <string.h>

#define ENDPOINTS "the mailbox is usually at /mapi/emsmdb/, the address book " \
	"at /mapi/nspi/"

static const char *response_code_advice(int code)
{
	switch (code) {
	case 3:
		return "the server speaks MAPI/HTTP, but not under this path: "
			ENDPOINTS;
	case 5:
		return "either this path isn't the endpoint that the request "
			"is for, or the server doesn't know the request at "
			"all: " ENDPOINTS;
	case 6:
	case 10:
	case 13:
		return "the session is gone: it expired, its worker process "
			"ended, or a proxy drops or changes cookies. Look for "
			"the worker (service mapi) in Dovecot's log";
	case 11:
		return "the session belongs to somebody else than these "
			"credentials";
	case 16:
		return "the endpoint is switched off in the server's "
			"configuration";
	case 18:
		return "the server is stopping or reloading: try again";
	case 1:
	case 17:
		return "the login process answered, but what's behind it "
			"didn't: look in Dovecot's log for the services "
			"mapi-sessions and mapi or mapi-addressbook (not "
			"started, process limit, crashed, mailbox can't be "
			"opened)";
	default:
		return "the server refused the request itself: look in "
			"Dovecot's log, and whether a proxy in between "
			"changes headers or bodies";
	}
}

/* NULL: what's true of every request */
static const char *autodiscover_advice(const struct client_error *error)
{
	switch (error->failure) {
	case CLIENT_FAIL_CONNECT:
		return "none of the places that Outlook asks at answers. DNS "
			"needs autodiscover.DOMAIN (a CNAME of the mail "
			"server), where mapi-login or a web server that "
			"forwards /autodiscover/ to it listens on port 443; "
			"--autodiscover-url or --connect-to ask elsewhere";
	case CLIENT_FAIL_TLS:
		return "the server's certificate must name the host that was "
			"asked (autodiscover.DOMAIN), and who signed it must "
			"be known here (--cacert FILE; --insecure to look no "
			"further)";
	case CLIENT_FAIL_HTTP:
		if (error->http_status >= 500)
			return NULL;
		/* fall through */
	case CLIENT_FAIL_NOT_AUTODISCOVER:
		return "a web server is there that knows nothing of "
			"Autodiscover: forward /autodiscover/ from it to "
			"mapi-login, or let autodiscover.DOMAIN lead to "
			"mapi-login in DNS";
	case CLIENT_FAIL_AUTODISCOVER:
		if (error->ec != CLIENT_AUTODISCOVER_UNKNOWN_USER)
			return NULL;
		return "the server's directory has no mailbox of this address: "
			"look in Dovecot's log for service mapi-directory, "
			"and at the settings mapi_directory_source and "
			"mapi_directory_username_attribute";
	case CLIENT_FAIL_REDIRECT:
		return "a redirection that only DNS or plain HTTP vouches for "
			"isn't followed, as the password would go there: "
			"--trust-redirects if that's right. Users are spared "
			"Outlook's question if autodiscover.DOMAIN is a CNAME "
			"of the mail server and in its certificate";
	default:
		return NULL;
	}
}

const char *client_error_advice(const struct client_error *error)
{
	const char *advice = NULL;

	if (strcmp(error->request, CLIENT_REQUEST_AUTODISCOVER) == 0)
		advice = autodiscover_advice(error);
	if (advice != NULL)
		return advice;
	switch (error->failure) {
	case CLIENT_FAIL_CONNECT:
		return "check the host name and port, whether Dovecot runs "
			"with 'mapi' in its protocols setting, service "
			"mapi-login's inet_listeners, and firewalls";
	case CLIENT_FAIL_TLS:
		return "check ssl_cert of the server: its name must be the "
			"URL's host, and who signed it must be known here "
			"(--cacert FILE; --insecure to look no further). A "
			"plain HTTP port answers a TLS client with nonsense";
	case CLIENT_FAIL_TIMEOUT:
		return "a firewall or proxy swallows packets, or the server "
			"is stuck: look for the process in Dovecot's log and "
			"with 'doveadm who'";
	case CLIENT_FAIL_LOST:
		return "the server or a proxy closed the connection within "
			"an answer: look for a crashed process in Dovecot's "
			"log";
	case CLIENT_FAIL_AUTH:
		return "wrong user name or password, or the server's auth "
			"refuses this user: 'doveadm auth test USER' asks the "
			"same database";
	case CLIENT_FAIL_HTTP:
		if (error->http_status == 404 || error->http_status == 405) {
			return "a web server answers, but not for MAPI/HTTP "
				"at this path: " ENDPOINTS;
		}
		if (error->http_status >= 300 && error->http_status < 400)
			return "the URL is redirected: use the final one";
		if (error->http_status >= 500) {
			return "the server or a proxy in front of it couldn't "
				"answer: look in both logs";
		}
		return NULL;
	case CLIENT_FAIL_NOT_MAPI:
		return "something else than MAPI/HTTP listens there: check "
			"host, port and path: " ENDPOINTS;
	case CLIENT_FAIL_RESPONSE_CODE:
		return response_code_advice(error->response_code);
	case CLIENT_FAIL_STATUS:
		if (error->ec == EC_LOGIN_PERM ||
		    error->ec == EC_ACCESS_DENIED ||
		    error->ec == EC_UNKNOWN_USER) {
			return "the DN isn't this user's: give it with --dn, "
				"or the organisation (setting "
				"mapi_organization) with --org";
		}
		return NULL;
	case CLIENT_FAIL_ROP:
		if (strcmp(error->rop, "RopLogon") == 0) {
			return "the DN isn't this user's (--dn, --org), or "
				"the mailbox can't be opened: look in "
				"Dovecot's log for service mapi";
		}
		return NULL;
	case CLIENT_FAIL_PROTOCOL:
		return "that's a fault of the server, or something between "
			"changes its answers";
	case CLIENT_FAIL_NOT_AUTODISCOVER:
	case CLIENT_FAIL_AUTODISCOVER:
	case CLIENT_FAIL_REDIRECT:
	case CLIENT_FAIL_NONE:
	case CLIENT_FAIL_LOCAL:
		break;
	}
	return NULL;
}
