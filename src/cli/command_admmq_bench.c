#include "admmnn/admmq.h"
#include "admmnn/compress.h"

#include <string.h>

#include "commands.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "DIR",
     .help = "Folder of the results; made when absent."},
    {.name = "recipes",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, recipes),
     .value = "FOLDER",
     .help = "recipes: the folder of the recipes (*.yaml) to compare."},
    {.name = "seeds",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seeds),
     .value = "N",
     .least = 1,
     .greatest = 1000,
     .fallback = "5",
     .help = "recipes: runs of each, the first with --seed."},
    {.name = "dimension",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, dimension),
     .value = "D",
     .least = 1,
     .greatest = 1000,
     .fallback = "16",
     .help = "Coordinates."},
    {.name = "condition",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, condition),
     .value = "V",
     .fallback = "10",
     .help = "v in Q = G'G + v^2 qq': how ill-conditioned the instances are."},
    {.name = "spacing",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, spacing),
     .value = "D",
     .fallback = "8",
     .help = "Of the grid."},
    {.name = "instances",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, instances),
     .value = "N",
     .least = 1,
     .greatest = 1000,
     .fallback = "12",
     .help = "Problems to choose each method's setting on; as many others to compare on."},
    {.name = "starts",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, starts),
     .value = "N",
     .least = 1,
     .greatest = 1000000,
     .fallback = "50",
     .help = "Starts of each."},
    {.name = "iterations",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, iterations),
     .value = "N",
     .least = 1,
     .greatest = UINT64_MAX / 2,
     .fallback = "30000",
     .help = "Of ADMM's methods."},
    {.name = "pgd-iterations",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, pgd_iterations),
     .value = "N",
     .least = 1,
     .greatest = UINT64_MAX / 2,
     .fallback = "100000",
     .help = "Of projected gradient, and of gradient descent that is rounded."},
    {.name = "last",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, last),
     .value = "N",
     .least = 1,
     .greatest = 1000000,
     .fallback = "50",
     .help = "The answer is the best of this many last iterates."},
    {.name = "nodes",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, nodes),
     .value = "N",
     .greatest = UINT64_MAX,
     .fallback = "1000000000",
     .help = "Of the tree that finds an optimum, at most; 0: no limit."},
    {.name = "seed",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seed),
     .value = "N",
     .greatest = ADMMNN_SEED_MAX,
     .fallback = "1",
     .help = "Of the instances, starts and ADMM-R's coordinates."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "quadratics: replace the files of an earlier run in DIR."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn admmq bench quadratics --out out/quadratics",
     "The published grid: some minutes on two cores."},
    {"admmnn admmq bench quadratics --out out/d64 --dimension 64 --instances 3 --starts 10",
     "Larger problems, fewer of them."},
    {"admmnn admmq bench recipes --recipes recipes/binary --out out/binary",
     "The paper's binarised network."},
    {NULL, NULL},
};

static admmnn_quadratics_settings settings_of(const cli_arguments *a) {
    admmnn_quadratics_settings s;
    admmnn_quadratics_defaults(&s);
    s.out = a->out;
    s.force = a->force;
    s.dimension = (uint32_t)cli_number_or(a->dimension, s.dimension);
    s.instances = (uint32_t)cli_number_or(a->instances, s.instances);
    s.starts = (uint32_t)cli_number_or(a->starts, s.starts);
    s.condition = cli_real_or(a->condition, s.condition);
    s.spacing = cli_real_or(a->spacing, s.spacing);
    s.iterations = cli_number_or(a->iterations, s.iterations);
    s.pgd_iterations = cli_number_or(a->pgd_iterations, s.pgd_iterations);
    s.last = (uint32_t)cli_number_or(a->last, s.last);
    s.nodes = cli_number_or(a->nodes, s.nodes);
    s.seed = cli_number_or(a->seed, s.seed);
    return s;
}

/* An option of the other experiment would be left unheard. */
static admmnn_status check_options(const cli_arguments *a, bool recipes, admmnn_error *err) {
    const struct {
        const char *name;
        bool given, of_recipes;
    } own[] = {{"recipes", a->recipes != NULL, true},
               {"seeds", a->seeds.given, true},
               {"dimension", a->dimension.given, false},
               {"condition", a->condition.given, false},
               {"spacing", a->spacing.given, false},
               {"instances", a->instances.given, false},
               {"starts", a->starts.given, false},
               {"iterations", a->iterations.given, false},
               {"pgd-iterations", a->pgd_iterations.given, false},
               {"last", a->last.given, false},
               {"nodes", a->nodes.given, false},
               {"force", a->force, false}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i].given && own[i].of_recipes != recipes)
            return cli_fail(err, ADMMNN_USAGE, "admmq bench %s: --%s is of admmq bench %s",
                            a->operands[0], own[i].name, recipes ? "quadratics" : "recipes");
    return ADMMNN_OK;
}

typedef admmnn_status (*text_maker)(const char *out, char **text, admmnn_error *err);

static admmnn_status print_text(const cli_arguments *a, text_maker json, text_maker table,
                                admmnn_error *err) {
    char *text;
    CLI_TRY(a->json ? json(a->out, &text, err) : table(a->out, &text, err));
    cli_print_text(text);
    admmnn_text_free(text);
    return ADMMNN_OK;
}

static admmnn_status run_quadratics(const cli_arguments *a, const admmnn_context *context,
                                    admmnn_error *err) {
    const admmnn_quadratics_settings settings = settings_of(a);
    return admmnn_quadratics_run(&settings, context, err);
}

static admmnn_status run_recipes(const cli_arguments *a, const admmnn_context *context,
                                 admmnn_error *err) {
    const admmnn_recipes_settings settings = {.out = a->out,
                                              .recipes = a->recipes,
                                              .seeds = (uint32_t)cli_number_or(a->seeds, 5),
                                              .first_seed = cli_number_or(a->seed, 1)};
    if (a->recipes == NULL)
        return cli_fail(err, ADMMNN_USAGE, "admmq bench recipes: --recipes FOLDER is missing");
    return admmnn_recipes_run(&settings, context, err);
}

static admmnn_status run(const cli_arguments *a, admmnn_error *err) {
    static const struct {
        const char *name;
        admmnn_status (*run)(const cli_arguments *a, const admmnn_context *context,
                             admmnn_error *err);
        text_maker json, table;
    } experiments[] = {
        {"quadratics", run_quadratics, admmnn_quadratics_json, admmnn_quadratics_table},
        {"recipes", run_recipes, admmnn_recipes_json, admmnn_recipes_table}};
    size_t e = 0;
    while (e < 2 && strcmp(a->operands[0], experiments[e].name) != 0)
        e++;
    if (e == 2)
        return cli_fail(err, ADMMNN_USAGE,
                        "admmq bench: no experiment '%.40s'; there are quadratics and recipes",
                        a->operands[0]);
    CLI_TRY(check_options(a, experiments[e].run == run_recipes, err));
    cli_session session;
    cli_session_begin(&session, a);
    cli_session_catch_signals();
    admmnn_status status = experiments[e].run(a, &session.context, err);
    cli_session_end(&session);
    CLI_TRY(status);
    return print_text(a, experiments[e].json, experiments[e].table, err);
}

const cli_command cli_admmq_bench = {
    .name = "admmq bench",
    .operands = "EXPERIMENT",
    .operands_least = 1,
    .operands_most = 1,
    .operand_words = "quadratics recipes",
    .summary = "Repeat the experiments of the ADMM-Q paper.",
    .description =
        "quadratics: ADMM-Q, its soft and randomised variants, projected gradient and rounded "
        "gradient "
        "descent on random ill-conditioned quadratics over a grid (Huang et al. 2020, section "
        "5.1), at 9 values of "
        "rho/L, 21 of beta and 7 probabilities. Each method's setting with the best mean rank is "
        "then measured on as many other instances, beside the true optimum of each, and methods "
        "are compared there by the signed-rank test.\n\n"
        "Leaves in DIR: quadratics.json (every setting's quartiles on every instance), "
        "quadratics.svg (boxes) and quadratics-rho.svg (the median against rho).\n\n"
        "recipes: every recipe of a folder over seeds, such as those of recipes/binary, which "
        "train one network to weights of -1 and 1 by ADMM-Q, ADMM-S, ADMM-R, projected gradient "
        "and "
        "straight-through levels. Goes on with what is in DIR, also with more seeds or recipes. "
        "Leaves in DIR: recipes.json (means "
        "and standard deviations), recipes.svg and the runs, in recipe-runs/.",
    .options = options,
    .examples = examples,
    .run = run,
};
