/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "module-dir.h"
#include "net.h"
#include "doveadm.h"
#include "doveadm-print.h"
#include "doveadm-mail.h"
#include "mail-user.h"
#include "settings-parser.h"
#include "mapi-check.h"
#include "mapi-deferred.h"
#include "doveadm-mapi.h"

/* doveadm mapi check, doveadm mapi report: what they do is in
   mapi-store/store/mapi-check.c. doveadm mapi deferred asks a worker, which alone has
   the MAPI server's settings.

   The name of the reserved mailbox is the plugin setting mapi_companion_root, as for
   the mail plugin: the config process gives the settings of the MAPI server to
   nobody else. */

#define MAPI_COMPANION_ROOT_DEFAULT "mapi-internal"
/* bags that are younger may belong to messages that are just being saved */
#define CHECK_DEFAULT_MIN_AGE (60 * 60)
/* to a worker, if many are just starting */
#define CONNECT_RETRY_MSECS (10 * 1000)
/* exit status if there are problems left, as that of doveadm sync */
#define EX_PROBLEMS_LEFT 2

struct doveadm_mapi_check_context {
	struct doveadm_mail_cmd_context ctx;
	struct mapi_check_settings set;
	/* of all users */
	bool problems_left;
};

struct doveadm_mapi_deferred_context {
	struct doveadm_mail_cmd_context ctx;
	/* to a worker */
	int fd;
};

struct doveadm_mapi_report_context {
	/* counts of one user */
	unsigned int problems[MAPI_CHECK_PROBLEM_COUNT];
	unsigned int problem_count;
};

const char *doveadm_mapi_plugin_version = DOVECOT_ABI_VERSION;

static const char *const state_names[] = {
	[MAPI_CHECK_FOUND] = "found",
	[MAPI_CHECK_REPAIRED] = "repaired",
	[MAPI_CHECK_FAILED] = "failed",
};

static void
doveadm_mapi_get_settings(struct mail_user *user,
			  struct mapi_store_settings *set_r)
{
	i_zero(set_r);
	set_r->companion_root =
		mail_user_plugin_getenv(user, "mapi_companion_root");
	if (set_r->companion_root == NULL || *set_r->companion_root == '\0')
		set_r->companion_root = MAPI_COMPANION_ROOT_DEFAULT;
	/* what clients see, which isn't asked for here */
	set_r->organization = "";
	set_r->display_name = "";
	set_r->email_address = "";
}

static int
doveadm_mapi_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user,
		 const struct mapi_check_settings *check_set,
		 struct mapi_check_counts *counts_r)
{
	struct mapi_store_settings set;
	enum mapi_error error;

	doveadm_mapi_get_settings(user, &set);
	error = mapi_check_run(user, &set, check_set, counts_r);
	if (error == EC_NONE)
		return 0;
	e_error(user->event, "mapi: Not everything could be looked at "
		"(error 0x%08x)", (unsigned int)error);
	doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	return -1;
}

/* --- check --------------------------------------------------------------------- */

static void
cmd_check_print(const struct mapi_check_finding *finding, void *context)
{
	struct doveadm_mapi_check_context *ctx = context;

	if (finding->state != MAPI_CHECK_REPAIRED)
		ctx->problems_left = TRUE;
	doveadm_print(mapi_check_problem_name(finding->problem));
	doveadm_print(state_names[finding->state]);
	doveadm_print(finding->mailbox);
	doveadm_print_num(finding->uid);
	doveadm_print(finding->detail);
}

static int
cmd_check_run(struct doveadm_mail_cmd_context *_ctx, struct mail_user *user)
{
	struct doveadm_mapi_check_context *ctx =
		(struct doveadm_mapi_check_context *)_ctx;
	struct mapi_check_counts counts;
	int ret;

	ret = doveadm_mapi_run(_ctx, user, &ctx->set, &counts);
	if (ctx->problems_left && _ctx->exit_code == 0)
		_ctx->exit_code = EX_PROBLEMS_LEFT;
	return ret;
}

static bool cmd_check_parse_arg(struct doveadm_mail_cmd_context *_ctx, int c)
{
	struct doveadm_mapi_check_context *ctx =
		(struct doveadm_mapi_check_context *)_ctx;
	const char *error;

	switch (c) {
	case 'r':
		ctx->set.repair = TRUE;
		return TRUE;
	case 'a':
		if (settings_get_time(optarg, &ctx->set.min_age, &error) < 0)
			i_fatal_status(EX_USAGE, "-a: %s", error);
		return TRUE;
	default:
		return FALSE;
	}
}

static void
cmd_check_init(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
	       const char *const args[] ATTR_UNUSED)
{
	doveadm_print_header_simple("problem");
	doveadm_print_header_simple("state");
	doveadm_print_header("mailbox", "mailbox",
			     DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header("uid", "uid", DOVEADM_PRINT_HEADER_FLAG_NUMBER |
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("detail", "detail",
			     DOVEADM_PRINT_HEADER_FLAG_EXPAND);
}

static struct doveadm_mail_cmd_context *cmd_check_alloc(void)
{
	struct doveadm_mapi_check_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mapi_check_context);
	ctx->ctx.getopt_args = "ra:";
	ctx->ctx.v.parse_arg = cmd_check_parse_arg;
	ctx->ctx.v.init = cmd_check_init;
	ctx->ctx.v.run = cmd_check_run;
	ctx->set.min_age = CHECK_DEFAULT_MIN_AGE;
	ctx->set.callback = cmd_check_print;
	ctx->set.context = ctx;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &ctx->ctx;
}

/* --- report -------------------------------------------------------------------- */

static void
cmd_report_count(const struct mapi_check_finding *finding, void *context)
{
	struct doveadm_mapi_report_context *ctx = context;

	ctx->problems[finding->problem]++;
	ctx->problem_count++;
}

static int
cmd_report_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user)
{
	struct doveadm_mapi_report_context report;
	struct mapi_check_counts counts;
	const struct mapi_check_settings set = {
		.min_age = CHECK_DEFAULT_MIN_AGE,
		.callback = cmd_report_count,
		.context = &report,
	};
	int ret;

	i_zero(&report);
	ret = doveadm_mapi_run(ctx, user, &set, &counts);
	doveadm_print_num(counts.folders);
	doveadm_print_num(counts.blocks);
	doveadm_print_num(counts.named_properties);
	doveadm_print_num(counts.bags);
	doveadm_print_num(report.problems[MAPI_CHECK_BAG_ORPHANED] +
			  report.problems[MAPI_CHECK_BAG_LEFT_BEHIND]);
	doveadm_print_num(report.problems[MAPI_CHECK_MESSAGE_REPLACED]);
	doveadm_print_num(report.problem_count);
	doveadm_print_num(counts.set_aside);
	doveadm_print_num(counts.companions);
	doveadm_print_num(counts.companion_size);
	return ret;
}

static void
cmd_report_init(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
		const char *const args[] ATTR_UNUSED)
{
	static const char *const columns[] = {
		"folders", "blocks", "named_properties", "bags",
		"orphaned_bags", "duplicate_guids", "problems", "set_aside",
		"mailboxes", "size",
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(columns); i++) {
		doveadm_print_header(columns[i], columns[i],
				     DOVEADM_PRINT_HEADER_FLAG_NUMBER);
	}
}

static struct doveadm_mail_cmd_context *cmd_report_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_report_init;
	ctx->v.run = cmd_report_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_FLOW);
	return ctx;
}

/* --- deferred ------------------------------------------------------------------ */

/* The socket belongs to those whom doveadm isn't any more when it has become the
   user. */
static int
cmd_deferred_prerun(struct doveadm_mail_cmd_context *_ctx,
		    struct mail_storage_service_user *service_user ATTR_UNUSED,
		    const char **error_r)
{
	struct doveadm_mapi_deferred_context *ctx =
		(struct doveadm_mapi_deferred_context *)_ctx;
	const char *path = t_strconcat(doveadm_settings->base_dir, "/",
				       MAPI_SUBMIT_SOCKET, NULL);

	i_close_fd(&ctx->fd);
	ctx->fd = net_connect_unix_with_retries(path, CONNECT_RETRY_MSECS);
	if (ctx->fd == -1) {
		*error_r = t_strdup_printf("net_connect_unix(%s) failed: %m",
					   path);
		_ctx->exit_code = EX_TEMPFAIL;
		return -1;
	}
	return 0;
}

static int
cmd_deferred_run(struct doveadm_mail_cmd_context *_ctx, struct mail_user *user)
{
	struct doveadm_mapi_deferred_context *ctx =
		(struct doveadm_mapi_deferred_context *)_ctx;
	struct mapi_deferred_result result;
	const char *error;
	int fd = ctx->fd, ret;

	ctx->fd = -1;
	ret = mapi_deferred_send(fd, user->username, &result, &error);
	if (ret <= 0) {
		e_error(user->event, "mapi: Deferred mail can't be sent: %s",
			ret == 0 ? "The user isn't known" : error);
		doveadm_mail_failed_error(_ctx, MAIL_ERROR_TEMP);
		return -1;
	}
	doveadm_print_num(result.sent);
	doveadm_print_num(result.failed);
	doveadm_print_num(result.held);
	doveadm_print(result.next == 0 ? "-" : unixdate2str(result.next));
	return 0;
}

static void
cmd_deferred_init(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
		  const char *const args[] ATTR_UNUSED)
{
	static const char *const columns[] = { "sent", "failed", "held" };
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(columns); i++) {
		doveadm_print_header(columns[i], columns[i],
				     DOVEADM_PRINT_HEADER_FLAG_NUMBER);
	}
	doveadm_print_header_simple("next");
}

static void cmd_deferred_deinit(struct doveadm_mail_cmd_context *_ctx)
{
	struct doveadm_mapi_deferred_context *ctx =
		(struct doveadm_mapi_deferred_context *)_ctx;

	i_close_fd(&ctx->fd);
}

static struct doveadm_mail_cmd_context *cmd_deferred_alloc(void)
{
	struct doveadm_mapi_deferred_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mapi_deferred_context);
	ctx->ctx.v.prerun = cmd_deferred_prerun;
	ctx->ctx.v.init = cmd_deferred_init;
	ctx->ctx.v.run = cmd_deferred_run;
	ctx->ctx.v.deinit = cmd_deferred_deinit;
	ctx->fd = -1;
	doveadm_print_init(DOVEADM_PRINT_TYPE_FLOW);
	return &ctx->ctx;
}

/* ------------------------------------------------------------------------------- */

static struct doveadm_cmd_ver2 mapi_commands[] = {
	{
		.name = "mapi check",
		.mail_cmd = cmd_check_alloc,
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX "[-r] [-a <age>]",
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('r', "repair", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('a', "age", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "mapi deferred",
		.mail_cmd = cmd_deferred_alloc,
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "mapi report",
		.mail_cmd = cmd_report_alloc,
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
	},
};

void doveadm_mapi_plugin_init(struct module *module ATTR_UNUSED)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(mapi_commands); i++)
		doveadm_cmd_register_ver2(&mapi_commands[i]);
}

void doveadm_mapi_plugin_deinit(void)
{
}
