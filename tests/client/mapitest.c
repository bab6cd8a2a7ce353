/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_ORGANIZATION "Dovecot"
#define MAX_PASSWORD 1024

static const char usage_text[] =
"Usage: mapitest COMMAND ADDRESS [options] [arguments]\n"
"       mapitest COMMAND URL USER [options] [arguments]\n"
"\n"
"Asks a MAPI over HTTP server what Outlook would ask it.\n"
"ADDRESS is an e-mail address, whose server is found by Autodiscover;\n"
"URL is the endpoint itself: https://mail.example.org/mapi/emsmdb/,\n"
"or .../mapi/nspi/ for gal and resolve.\n"
"\n"
"Commands:\n"
"  autodiscover  only finds the server (ADDRESS only)\n"
"  gal     shows address lists, rows of one, details and members\n"
"  resolve NAME...  whom names mean: one, several or nobody\n"
"  walk    connects, logs on, shows folders, message lists and messages\n"
"  raw     single remote operations, printed field by field\n"
"  create, send        writes a message, and sends it\n"
"  edit MESSAGE        changes one: its id (0x...) or its subject\n"
"  move MESSAGE...     to another folder\n"
"  delete MESSAGE...\n"
"  bench   table | open | small | idle: how fast it is\n"
"\n"
"Options:\n"
"  --password-file FILE  first line is the password; else the environment's\n"
"                        MAPI_PASSWORD, else it's asked for\n"
"  --dn DN               legacyExchangeDN of the user\n"
"  --org NAME            organisation, to make the DN from\n"
"                        (default: " DEFAULT_ORGANIZATION ")\n"
"  --user NAME           to log in with, if it isn't the address\n"
"  --autodiscover-url URL  ask there instead of where the address leads to\n"
"  --no-srv              don't look for DNS' SRV records\n"
"  --trust-redirects     follow redirections that nothing vouches for\n"
"  --connect-to HOST:PORT:OTHERHOST:OTHERPORT\n"
"                        connect there instead; may be given several times\n"
"  --cacert FILE         whom to trust (PEM); else the environment's MAPI_CA,\n"
"                        else as the system does\n"
"  --insecure            don't verify the server's certificate\n"
"  --timeout SECONDS     for one request (120)\n"
"  --compress, --obfuscate  pack requests so and accept answers that are\n"
"  --json                output for programs\n"
"  --verbose             show decoded operations on stderr\n"
"\n"
"gal:\n"
"  --list NAME           which address list (the global one)\n"
"  --rows N              how many rows to show (10), or \"all\"\n"
"  --search PREFIX       begin with the first row that isn't before it\n"
"  --details NAME        whose details to show (one's own)\n"
"  --members NAME        of which list (the first among the rows)\n"
"  --check               ask in several ways, and compare the answers\n"
"walk:\n"
"  --folder NAME         whose messages to show, a path or name (Inbox)\n"
"  --rows N, --messages N  how many to list (10), to open (3); or \"all\"\n"
"  --all-folders         of every folder\n"
"create, edit, send:\n"
"  --to ADDRESS, --cc ADDRESS, --bcc ADDRESS, --subject TEXT, --text TEXT,\n"
"  --html FILE, --attach FILE, --category NAME, --flag\n"
"edit: --unflag, --read, --unread\n"
"move: --to-folder NAME, --copy\n"
"delete: --hard          not to be recovered\n"
"  --folder NAME         where the messages are, or the new one comes\n"
"raw:  see mapitest(1)\n"
"bench KIND:\n"
"  --folder NAME, --imap HOST:PORT (with TLS), --count N, --sessions N\n"
"\n"
"Exit status: 0 all is well, 1 the server failed, 2 wrong usage,\n"
"3 the server works, but hasn't the name or list that was asked for.\n";

enum {
	OPT_PASSWORD_FILE = 256, OPT_DN, OPT_ORG, OPT_CACERT, OPT_INSECURE,
	OPT_TIMEOUT, OPT_COMPRESS, OPT_OBFUSCATE, OPT_JSON, OPT_VERBOSE,
	OPT_HELP, OPT_USER, OPT_AUTODISCOVER_URL, OPT_NO_SRV,
	OPT_TRUST_REDIRECTS, OPT_CONNECT_TO,
};

static const struct option options[] = {
	{ "password-file", required_argument, NULL, OPT_PASSWORD_FILE },
	{ "dn", required_argument, NULL, OPT_DN },
	{ "org", required_argument, NULL, OPT_ORG },
	{ "cacert", required_argument, NULL, OPT_CACERT },
	{ "insecure", no_argument, NULL, OPT_INSECURE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "compress", no_argument, NULL, OPT_COMPRESS },
	{ "obfuscate", no_argument, NULL, OPT_OBFUSCATE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "user", required_argument, NULL, OPT_USER },
	{ "autodiscover-url", required_argument, NULL, OPT_AUTODISCOVER_URL },
	{ "no-srv", no_argument, NULL, OPT_NO_SRV },
	{ "trust-redirects", no_argument, NULL, OPT_TRUST_REDIRECTS },
	{ "connect-to", required_argument, NULL, OPT_CONNECT_TO },
	{ NULL, 0, NULL, 0 },
};

/* Its arguments tell which endpoint is measured. */
static int bench(struct mapitest *test)
{
	bool addressbook = test->argc > 0 &&
		(strcmp(test->argv[0], "resolve") == 0 ||
		 strcmp(test->argv[0], "rows") == 0);
	int ret = mapitest_locate(test, addressbook ? MAPITEST_ADDRESSBOOK :
				  MAPITEST_MAILBOX);

	return ret != MAPITEST_OK ? ret : mapitest_bench(test);
}

static const struct command {
	const char *name;
	int (*func)(struct mapitest *test);
	/* URL and user may be given instead of the address */
	bool takes_url;
} commands[] = {
	{ "autodiscover", mapitest_autodiscover, false },
	{ "gal", mapitest_gal, true },
	{ "resolve", mapitest_resolve, true },
	{ "walk", mapitest_walk, true },
	{ "raw", mapitest_raw, true },
	{ "bench", bench, true },
	{ "create", mapitest_write, true },
	{ "edit", mapitest_write, true },
	{ "send", mapitest_write, true },
	{ "move", mapitest_write, true },
	{ "delete", mapitest_write, true },
};

static void __attribute__((noreturn, format(printf, 1, 2)))
usage_error(const char *format, ...)
{
	va_list args;

	fputs("mapitest: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'mapitest --help'.\n", stderr);
	exit(MAPITEST_USAGE);
}

static char *read_line(TALLOC_CTX *mem, FILE *f)
{
	char line[MAX_PASSWORD];

	if (fgets(line, sizeof(line), f) == NULL)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	return talloc_strdup(mem, line);
}

static const char *ask_password(TALLOC_CTX *mem, const char *user)
{
	struct termios old, quiet;
	FILE *tty = fopen("/dev/tty", "r+");
	char *password;

	if (tty == NULL || tcgetattr(fileno(tty), &old) < 0) {
		usage_error("no password: set MAPI_PASSWORD or give "
			    "--password-file");
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(tty, "Password of %s: ", user);
	fflush(tty);
	tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	password = read_line(mem, tty);
	tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fputc('\n', tty);
	fclose(tty);
	if (password == NULL)
		usage_error("no password");
	return password;
}

static const char *
get_password(TALLOC_CTX *mem, const char *file, const char *user)
{
	const char *password = getenv("MAPI_PASSWORD");
	FILE *f;

	if (file != NULL) {
		f = fopen(file, "r");
		if (f == NULL)
			usage_error("%s: %s", file, strerror(errno));
		password = read_line(mem, f);
		fclose(f);
		if (password == NULL)
			usage_error("%s: is empty", file);
		return password;
	}
	return password != NULL ? password : ask_password(mem, user);
}

int mapitest_fail(const struct client_error *error)
{
	char buf[2048];
	const char *advice = client_error_advice(error);
	size_t len;

	fflush(stdout);
	(void)client_error_describe(error, buf, sizeof(buf) - 1);
	/* what the server said may be a sentence */
	len = strlen(buf);
	if (len > 0 && buf[len - 1] == '.')
		buf[len - 1] = '\0';
	fprintf(stderr, "mapitest: FAILED: %s.\n", buf);
	if (advice != NULL)
		fprintf(stderr, "mapitest: What to look at: %s.\n", advice);
	return MAPITEST_FAILED;
}

struct client_session *mapitest_session(struct mapitest *test)
{
	struct client_session *session =
		client_session_new(test->mem, &test->params);

	session->options = test->session_options;
	if (test->verbose)
		session->trace = stderr;
	return session;
}

int mapitest_logon(struct mapitest *test, struct client_session **session_r,
		   struct client_logon **logon_r)
{
	struct client_session *session;
	struct client_error error;

	if (mapitest_locate(test, MAPITEST_MAILBOX) != MAPITEST_OK)
		return MAPITEST_FAILED;
	session = mapitest_session(test);
	client_error_step(&error, "connect");
	if (client_session_connect(session, test->dn, &error) < 0)
		return mapitest_fail(&error);
	client_error_step(&error, "log on");
	if (client_logon_open(session, session, test->dn, logon_r, &error) < 0)
		return mapitest_fail(&error);
	*session_r = session;
	return MAPITEST_OK;
}

static void add_connect_to(struct mapitest *test, const char *arg)
{
	size_t count = test->params.connect_to == NULL ? 0 :
		talloc_array_length(test->params.connect_to) - 1;
	const char **list = talloc_realloc(test->mem,
		(void *)test->params.connect_to, const char *, count + 2);

	list[count] = arg;
	list[count + 1] = NULL;
	test->params.connect_to = list;
}

/* Options of mapitest itself; false if it's none of them. */
static bool set_option(struct mapitest *test, int opt,
		       const char **password_file)
{
	switch (opt) {
	case OPT_PASSWORD_FILE:
		*password_file = optarg;
		break;
	case OPT_DN:
		test->dn = optarg;
		break;
	case OPT_ORG:
		test->organization = optarg;
		break;
	case OPT_CACERT:
		test->params.ca_file = optarg;
		break;
	case OPT_INSECURE:
		test->params.insecure = true;
		break;
	case OPT_TIMEOUT:
		test->params.timeout_secs = atoi(optarg);
		break;
	case OPT_COMPRESS:
		test->session_options |= CLIENT_COMPRESS |
			CLIENT_WANT_COMPRESSED;
		break;
	case OPT_OBFUSCATE:
		test->session_options |= CLIENT_OBFUSCATE |
			CLIENT_WANT_OBFUSCATED;
		break;
	case OPT_JSON:
		test->json = true;
		break;
	case OPT_VERBOSE:
		test->verbose = true;
		break;
	case OPT_USER:
		test->params.user = optarg;
		break;
	case OPT_AUTODISCOVER_URL:
		test->discover.url = optarg;
		break;
	case OPT_NO_SRV:
		test->discover.no_srv = true;
		break;
	case OPT_TRUST_REDIRECTS:
		test->discover.trust_redirects = true;
		break;
	case OPT_CONNECT_TO:
		add_connect_to(test, optarg);
		break;
	default:
		return false;
	}
	return true;
}

static void parse_options(struct mapitest *test, int argc, char **argv,
			  const char **password_file_r)
{
	char **rest = talloc_array(test->mem, char *, argc + 1);
	int opt, i;

	*password_file_r = NULL;
	/* Options of the commands are theirs to read: everything that isn't
	   known here is kept, with a value where the next word is one. */
	opterr = 0;
	test->argc = 0;
	for (i = 0; i < argc; ) {
		char *one[4] = { argv[0], argv[i], i + 1 < argc ?
				 argv[i + 1] : NULL, NULL };

		if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0') {
			rest[test->argc++] = argv[i++];
			continue;
		}
		optind = 0;
		opt = getopt_long(one[2] == NULL ? 2 : 3, one, "+:", options,
				  NULL);
		if (opt == OPT_HELP) {
			fputs(usage_text, stdout);
			exit(MAPITEST_OK);
		}
		if (opt == ':')
			usage_error("%s needs a value", argv[i]);
		if (!set_option(test, opt, password_file_r)) {
			rest[test->argc++] = argv[i++];
			continue;
		}
		i += optind - 1;
	}
	rest[test->argc] = NULL;
	test->argv = rest;
}

bool mapitest_parse_count(const char *arg, unsigned int *count_r)
{
	char *end;

	if (strcmp(arg, "all") == 0) {
		*count_r = MAPITEST_ALL;
		return true;
	}
	*count_r = strtoul(arg, &end, 10);
	return *end == '\0' && *arg != '\0';
}

static bool is_url(const char *arg)
{
	return strncmp(arg, "https://", 8) == 0 ||
		strncmp(arg, "http://", 7) == 0;
}

/* Takes URL and user, or the address, from the arguments. */
static void
parse_server(struct mapitest *test, const struct command *command)
{
	const char *arg = test->argc > 0 ? test->argv[0] : NULL;
	unsigned int used = 1;

	if (arg == NULL) {
		usage_error("%s: %s", command->name,
			    command->takes_url ?
			    "an address, or URL and user are missing" :
			    "the address is missing");
	}
	if (!is_url(arg)) {
		if (client_autodiscover_domain(arg) == NULL) {
			usage_error("neither a URL nor an e-mail address: %s",
				    arg);
		}
		test->discover.address = arg;
		if (test->params.user == NULL)
			test->params.user = arg;
	} else if (!command->takes_url) {
		usage_error("%s: give an address; --autodiscover-url names "
			    "the URL", command->name);
	} else if (test->argc < 2) {
		usage_error("%s: URL and user are missing", command->name);
	} else {
		test->params.url = arg;
		test->params.user = test->argv[1];
		used = 2;
	}
	if (test->discover.url != NULL && !is_url(test->discover.url))
		usage_error("not a URL: %s", test->discover.url);
	test->argv += used;
	test->argc -= used;
}

int main(int argc, char **argv)
{
	struct mapitest test = { .organization = DEFAULT_ORGANIZATION };
	const struct command *command = NULL;
	const char *password_file;
	unsigned int i;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	test.mem = talloc_new(NULL);
	test.params.ca_file = getenv("MAPI_CA");
	parse_options(&test, argc - 1, argv + 1, &password_file);
	if (test.argc == 0)
		usage_error("no command");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, test.argv[0]) == 0)
			command = &commands[i];
	}
	if (command == NULL)
		usage_error("no such command: %s", test.argv[0]);
	test.command = command->name;
	test.argv++;
	test.argc--;
	parse_server(&test, command);
	test.params.password =
		get_password(test.mem, password_file, test.params.user);
	ret = command->func(&test);
	talloc_free(test.mem);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "mapitest: can't write: %s\n",
			strerror(errno));
		ret = MAPITEST_USAGE;
	}
	return ret;
}
