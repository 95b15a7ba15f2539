#include "admmnn/admmq.h"
#include "admmnn/compress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "fail.h"
#include "print.h"
#include "session.h"

/* Coordinates of an answer that are printed for people; machines get all. */
#define SHOWN 32

#define METHODS "admm-q admm-s admm-r pgd gd-round round exact"
#define STEPS "exact gradient linear"

static const cli_option options[] = {
    {.name = "q",
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, q),
     .value = "Q",
     .help = "The symmetric matrix: a NumPy array (.npy) of d x d numbers, or sparse in the Matrix "
             "Market's coordinate format (.mtx)."},
    {.name = "b",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, b),
     .value = "B.npy",
     .fallback = "zero",
     .help = "The linear part: a NumPy array of d numbers."},
    {.name = "set",
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, set),
     .value = "SET",
     .help =
         "The values of every coordinate: grid:D (the whole multiples of D), grid:D:LOW:HIGH, "
         "binary (-1 and 1), ternary, power-of-two:A:B (0 and +-2^A to +-2^B), levels:V,V,... "
         "(rising), or scaled-binary:G (-a and a, with a fitted a for each G coordinates); or a "
         "NumPy array (.npy) of a row for each coordinate, or for each group of as many, rising, "
         "short rows filled with NaN."},
    {.name = "method",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, method),
     .value = "METHOD",
     .fallback = "admm-q",
     .words = METHODS,
     .help = "admm-q, its soft (admm-s) and randomised (admm-r) variants; pgd, projected gradient "
             "steps of 1/rho; gd-round, gradient steps and one projection; round, the rounded "
             "minimum; exact, branch and bound: the optimum of a dense, definite Q."},
    {.name = "x-step",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, x_step),
     .value = "STEP",
     .fallback = "exact",
     .words = STEPS,
     .help =
         "How ADMM minimises over x: exact (one factorisation, or conjugate gradients when Q is "
         "sparse), gradient (--gradient-steps), linear (f's tangent)."},
    {.name = "rho",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, rho),
     .value = "R",
     .help = "The penalty."},
    {.name = "rho-relative",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, rho_relative),
     .value = "R",
     .fallback = "1e-5; of admm-r 1e-3; of pgd, gd-round and gradient steps 1; of linear ones 3",
     .help = "The penalty as a multiple of Q's largest eigenvalue (by size)."},
    {.name = "beta",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, beta),
     .value = "B",
     .fallback = "1",
     .help = "admm-s: the weight of the distance to the set; inf is admm-q."},
    {.name = "probability",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, probability),
     .value = "P",
     .fallback = "0.9",
     .help = "admm-r: that a coordinate is projected anew."},
    {.name = "gradient-steps",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, gradient_steps),
     .value = "N",
     .least = 1,
     .greatest = UINT32_MAX,
     .fallback = "5",
     .help = "Steps of an x step by gradients, at most."},
    {.name = "tolerance",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, tolerance),
     .value = "T",
     .fallback = "1e-10",
     .help = "Where conjugate gradients and gradient steps end, relative to where they began."},
    {.name = "iterations",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, iterations),
     .value = "N",
     .least = 1,
     .greatest = UINT64_MAX,
     .fallback = "30000",
     .help = "Iterations at most; a run whose iterates repeat ends earlier."},
    {.name = "last",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, last),
     .value = "N",
     .greatest = UINT32_MAX,
     .fallback = "0, all",
     .help = "The answer is the best of this many last iterates."},
    {.name = "nodes",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, nodes),
     .value = "N",
     .greatest = UINT64_MAX,
     .fallback = "0, no limit",
     .help = "exact: nodes of the tree at most; what is found then is not proven."},
    {.name = "starts",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, starts),
     .value = "N",
     .least = 1,
     .greatest = 1000000,
     .fallback = "1, or the rows of --start",
     .help = "Runs, each from a start of its own."},
    {.name = "start",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, start),
     .value = "X.npy",
     .help = "The starts: a NumPy array of starts x d numbers (of d for one)."},
    {.name = "start-scale",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, start_scale),
     .value = "S",
     .fallback = "10",
     .help = "Without --start, starts are drawn from a normal distribution of this deviation."},
    {.name = "seed",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seed),
     .value = "N",
     .greatest = ADMMNN_SEED_MAX,
     .fallback = "1",
     .help = "Of the starts, and of admm-r's coordinates."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn admmq solve --q Q.npy --b b.npy --set grid:8 --starts 50 --json",
     "ADMM-Q from 50 starts."},
    {"admmnn admmq solve --q Q.npy --b b.npy --set grid:8 --method exact", "The optimum."},
    {"admmnn admmq solve --q large.mtx --set ternary --iterations 100", "A sparse problem."},
    {NULL, NULL},
};

static admmnn_status read_method(const cli_arguments *a, admmnn_solver_settings *s,
                                 admmnn_error *err) {
    admmnn_method method = ADMMNN_METHOD_ADMM_Q;
    if (a->method != NULL && !admmnn_method_find(a->method, &method))
        return cli_fail(err, ADMMNN_USAGE, "admmq solve: no method '%.40s'; there are %s",
                        a->method, METHODS);
    admmnn_solver_defaults(method, s);
    if (a->x_step != NULL && !admmnn_x_step_find(a->x_step, &s->x_step))
        return cli_fail(err, ADMMNN_USAGE, "admmq solve: no x step '%.40s'; there are %s",
                        a->x_step, STEPS);
    return ADMMNN_OK;
}

/* What the method, or its x step, would leave unheard. */
static admmnn_status check_options(const cli_arguments *a, const admmnn_solver_settings *s,
                                   admmnn_error *err) {
    const admmnn_method m = s->method;
    const bool iterates = m != ADMMNN_METHOD_ROUND && m != ADMMNN_METHOD_EXACT;
    const bool admm = iterates && m != ADMMNN_METHOD_PGD && m != ADMMNN_METHOD_GD_ROUND;
    const bool by_gradient = admm && s->x_step == ADMMNN_X_STEP_GRADIENT;
    const bool solves = m == ADMMNN_METHOD_ROUND || (admm && s->x_step == ADMMNN_X_STEP_EXACT);
    const struct {
        const char *name;
        bool given, heard;
    } rules[] = {{"x-step", a->x_step != NULL, admm},
                 {"rho", a->rho.given, iterates},
                 {"rho-relative", a->rho_relative.given, iterates},
                 {"beta", a->beta.given, m == ADMMNN_METHOD_ADMM_S},
                 {"probability", a->probability.given, m == ADMMNN_METHOD_ADMM_R},
                 {"gradient-steps", a->gradient_steps.given, by_gradient},
                 {"tolerance", a->tolerance.given, by_gradient || solves},
                 {"iterations", a->iterations.given, iterates},
                 {"last", a->last.given, iterates},
                 {"nodes", a->nodes.given, m == ADMMNN_METHOD_EXACT},
                 {"starts", a->starts.given, iterates},
                 {"start", a->start != NULL, iterates},
                 {"start-scale", a->start_scale.given, iterates && a->start == NULL}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].given && !rules[i].heard)
            return cli_fail(err, ADMMNN_USAGE, "admmq solve: --%s says nothing to method %s%s",
                            rules[i].name, admmnn_method_text(m),
                            iterates ? " as it is asked for" : ", which starts nowhere");
    return ADMMNN_OK;
}

static admmnn_status read_settings(const cli_arguments *a, admmnn_admmq_settings *settings,
                                   admmnn_error *err) {
    admmnn_solver_settings *s = &settings->solver;
    CLI_TRY(read_method(a, s, err));
    CLI_TRY(check_options(a, s, err));
    if (a->rho.given && a->rho_relative.given)
        return cli_fail(err, ADMMNN_USAGE,
                        "admmq solve: --rho and --rho-relative exclude one another");
    if ((a->rho.given && a->rho.value == 0) ||
        (a->rho_relative.given && a->rho_relative.value == 0))
        return cli_fail(err, ADMMNN_USAGE,
                        "admmq solve: rho is 0; a finite number above 0 is needed");
    s->rho = cli_real_or(a->rho, 0);
    s->rho_relative = cli_real_or(a->rho_relative, s->rho_relative);
    s->beta = cli_real_or(a->beta, s->beta);
    s->probability = cli_real_or(a->probability, s->probability);
    s->tolerance = cli_real_or(a->tolerance, s->tolerance);
    s->gradient_steps = (uint32_t)cli_number_or(a->gradient_steps, s->gradient_steps);
    s->iterations = cli_number_or(a->iterations, s->iterations);
    s->last = (uint32_t)cli_number_or(a->last, s->last);
    s->nodes = cli_number_or(a->nodes, s->nodes);
    s->seed = cli_number_or(a->seed, 1);
    settings->q = a->q;
    settings->b = a->b;
    settings->set = a->set;
    settings->start = a->start;
    settings->starts = (uint32_t)cli_number_or(a->starts, a->start != NULL ? 0 : 1);
    settings->start_scale = cli_real_or(a->start_scale, 10);
    return ADMMNN_OK;
}

/* ---- for machines ---- */

/* To the bit, in as few digits as do, which cJSON's own numbers are not; null where it is not
 * known: JSON has no number for it. */
static cJSON *make_number(double value) {
    char text[32];
    if (!isfinite(value))
        return cJSON_CreateNull();
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return cJSON_CreateRaw(text);
}

static void add_number(cJSON *object, const char *name, double value) {
    cJSON_AddItemToObject(object, name, make_number(value));
}

static void add_x(cJSON *object, const admmnn_admmq_result *r) {
    cJSON *x = cJSON_AddArrayToObject(object, "x");
    for (size_t i = 0; i < r->dimension; i++)
        cJSON_AddItemToArray(x, make_number(r->x[i]));
}

static void add_condition(cJSON *object, const char *name, int held) {
    if (held < 0)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddBoolToObject(object, name, held);
}

static void add_quartiles(cJSON *object, const admmnn_quartiles *q) {
    add_number(object, "best", q->least);
    add_number(object, "lower_quartile", q->lower);
    add_number(object, "median", q->median);
    add_number(object, "upper_quartile", q->upper);
    add_number(object, "worst", q->greatest);
}

static admmnn_status print_json(const admmnn_admmq_settings *s, const admmnn_admmq_result *r,
                                admmnn_error *err) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "method", admmnn_method_text(s->solver.method));
    cJSON_AddStringToObject(object, "set", s->set);
    cJSON_AddNumberToObject(object, "dimension", (double)r->dimension);
    cJSON_AddStringToObject(object, "status", admmnn_outcome_text(r->info.outcome));
    add_number(object, "objective", r->info.objective);
    cJSON_AddNumberToObject(object, "iterations", (double)r->info.iterations);
    add_number(object, "rho", r->info.rho);
    add_number(object, "lipschitz", r->info.lipschitz);
    add_number(object, "primal_residual", r->info.primal);
    add_number(object, "dual_residual", r->info.dual);
    cJSON *conditions = cJSON_AddObjectToObject(object, "conditions");
    add_condition(conditions, "rho_suffices", r->info.rho_suffices);
    add_condition(conditions, "lagrangian_decreased", r->info.decreased);
    add_condition(conditions, "stationary", r->info.stationary);
    add_condition(conditions, "limit_stationary", r->info.limit_stationary);
    cJSON *starts = cJSON_AddObjectToObject(object, "starts");
    cJSON_AddNumberToObject(starts, "count", r->starts);
    cJSON_AddNumberToObject(starts, "diverged", r->diverged);
    cJSON_AddNumberToObject(starts, "best_start", r->best);
    add_number(starts, "mean_iterations", r->iterations);
    add_quartiles(starts, &r->objective);
    add_x(object, r);
    return cli_print_json(object, err);
}

/* ---- for people ---- */

static const char *condition_text(int held) {
    return held < 0 ? "not checked" : held ? "yes" : "no";
}

static void print_starts(const admmnn_admmq_result *r) {
    if (r->starts == 1)
        return;
    cli_print("over %u starts:  best %.10g, quartiles %.10g, %.10g, %.10g, worst %.10g\n",
              r->starts, r->objective.least, r->objective.lower, r->objective.median,
              r->objective.upper, r->objective.greatest);
    cli_print("                 %u diverged; %.0f iterations in the mean\n", r->diverged,
              r->iterations);
}

static void print_x(const admmnn_admmq_result *r) {
    cli_print("x =");
    for (size_t i = 0; i < r->dimension && i < SHOWN; i++)
        cli_print(" %.10g", r->x[i]);
    cli_print(r->dimension > SHOWN ? " ... (--json has all %zu)\n" : "\n", r->dimension);
}

static void print_text(const admmnn_admmq_settings *s, const admmnn_admmq_result *r) {
    const admmnn_solver_info *info = &r->info;
    const bool exact = s->solver.method == ADMMNN_METHOD_EXACT;
    cli_print("%s on %s, %zu coordinates: %s after %" PRIu64 " %s\n",
              admmnn_method_text(s->solver.method), s->set, r->dimension,
              admmnn_outcome_text(info->outcome), info->iterations, exact ? "nodes" : "iterations");
    cli_print("objective        %.10g\n", info->objective);
    if (!exact && s->solver.method != ADMMNN_METHOD_ROUND)
        cli_print("rho              %.6g (%.3g of the Lipschitz constant, %.6g)\n", info->rho,
                  info->rho / info->lipschitz, info->lipschitz);
    if (isfinite(info->primal))
        cli_print("residuals        primal %.3g, dual %.3g\n", info->primal, info->dual);
    if (!exact)
        cli_print(
            "theory           rho suffices: %s; the Lagrangian decreased: %s; stationary: the "
            "answer %s, the limit %s\n",
            condition_text(info->rho_suffices), condition_text(info->decreased),
            condition_text(info->stationary), condition_text(info->limit_stationary));
    print_starts(r);
    print_x(r);
}

static admmnn_status print_result(const cli_arguments *arguments,
                                  const admmnn_admmq_settings *settings,
                                  const admmnn_admmq_result *result, admmnn_error *err) {
    if (arguments->json)
        return print_json(settings, result, err);
    print_text(settings, result);
    return ADMMNN_OK;
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    admmnn_admmq_settings settings;
    admmnn_admmq_result result;
    CLI_TRY(read_settings(arguments, &settings, err));
    cli_session_begin(&session, arguments);
    cli_session_catch_signals();
    admmnn_status status = admmnn_admmq_solve(&settings, &session.context, &result, err);
    cli_session_end(&session);
    if (result.x != NULL) { /* after a stop or divergence: the best point before it */
        admmnn_status printed =
            print_result(arguments, &settings, &result, status == ADMMNN_OK ? err : NULL);
        status = status == ADMMNN_OK ? printed : status;
    }
    admmnn_admmq_free(&result);
    return status;
}

const cli_command cli_admmq_solve = {
    .name = "admmq solve",
    .operands = "",
    .summary = "Minimise a quadratic over a product of discrete sets.",
    .description =
        "Minimises x'Qx/2 + b'x over x whose coordinates take few values, by ADMM-Q and its "
        "variants (Huang et al. 2020), projected gradient, rounding, or branch and bound, which "
        "gives the optimum: on grids and wide boxes within tenths of a second for 40 coordinates "
        "and seconds for 48, with few levels within seconds for 64.\n\n"
        "Says of the best start its objective, its x, how the run ended and which of the theory's "
        "conditions held, and of all starts the best, the worst, the median and the quartiles. A "
        "run that diverged ends with status 1 when every start did; the best point before that is "
        "printed all the same.",
    .options = options,
    .examples = examples,
    .run = run,
};
