#include "admm/solver.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/memory.h"

/* Of L's estimate. */
#define SPECTRUM_TOLERANCE 1e-6

/* ---- words ---- */

static const char *const method_texts[] = {
#define METHOD_TEXT(name, text) text,
    ADMMNN_METHOD_MAP(METHOD_TEXT)
#undef METHOD_TEXT
};
static const char *const x_step_texts[] = {
#define X_STEP_TEXT(name, text) text,
    ADMMNN_X_STEP_MAP(X_STEP_TEXT)
#undef X_STEP_TEXT
};
static const char *const outcome_texts[] = {
#define OUTCOME_TEXT(name, text) text,
    ADMMNN_OUTCOME_MAP(OUTCOME_TEXT)
#undef OUTCOME_TEXT
};
#define COUNT(texts) (sizeof(texts) / sizeof *(texts))

const char *admmnn_method_text(admmnn_method method) {
    return (size_t)method < COUNT(method_texts) ? method_texts[method] : "unknown";
}

const char *admmnn_x_step_text(admmnn_x_step step) {
    return (size_t)step < COUNT(x_step_texts) ? x_step_texts[step] : "unknown";
}

const char *admmnn_outcome_text(admmnn_outcome outcome) {
    return (size_t)outcome < COUNT(outcome_texts) ? outcome_texts[outcome] : "unknown";
}

static size_t find(const char *text, const char *const *texts, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(text, texts[i]) != 0)
        i++;
    return i;
}

bool admmnn_method_find(const char *text, admmnn_method *method) {
    const size_t i = find(text, method_texts, COUNT(method_texts));
    *method = (admmnn_method)i;
    return i < COUNT(method_texts);
}

bool admmnn_x_step_find(const char *text, admmnn_x_step *step) {
    const size_t i = find(text, x_step_texts, COUNT(x_step_texts));
    *step = (admmnn_x_step)i;
    return i < COUNT(x_step_texts);
}

void admmnn_solver_defaults(admmnn_method method, admmnn_solver_settings *settings) {
    *settings = (admmnn_solver_settings){.method = method,
                                         .x_step = ADMMNN_X_STEP_EXACT,
                                         .gradient_steps = 5,
                                         .tolerance = 1e-10,
                                         .beta = 1,
                                         .probability = 0.9,
                                         .iterations = 30000,
                                         .check = true};
}

/* ---- making ---- */

static admmnn_status check_number(const char *name, double value, bool right, const char *what,
                                  admmnn_error *err) {
    return right ? ADMMNN_OK
                 : base_fail(err, ADMMNN_USAGE, "%s is %.10g; %s is needed", name, value, what);
}

bool solver_is_admm(admmnn_method method) {
    return method == ADMMNN_METHOD_ADMM_Q || method == ADMMNN_METHOD_ADMM_S ||
           method == ADMMNN_METHOD_ADMM_R;
}

static admmnn_status check_rho(const admmnn_solver_settings *s, admmnn_error *err) {
    BASE_TRY(check_number("rho", s->rho, s->rho >= 0 && isfinite(s->rho), "a finite number above 0",
                          err));
    return check_number("rho over the Lipschitz constant", s->rho_relative,
                        s->rho_relative >= 0 && isfinite(s->rho_relative),
                        "a finite number above 0", err);
}

static double default_rho(const admmnn_solver_settings *s) {
    if (!solver_is_admm(s->method) || s->x_step == ADMMNN_X_STEP_GRADIENT)
        return 1;
    if (s->x_step == ADMMNN_X_STEP_LINEAR)
        return 3;
    return s->method == ADMMNN_METHOD_ADMM_R ? 1e-3 : 1e-5;
}

static double choose_rho(const admmnn_solver *s) {
    if (s->settings.rho > 0)
        return s->settings.rho;
    return s->lipschitz *
           (s->settings.rho_relative > 0 ? s->settings.rho_relative : default_rho(&s->settings));
}

/* What is asked of a function, which has neither a closed form nor a known L. */
static admmnn_status check_function(const admmnn_solver_settings *s, admmnn_error *err) {
    if (s->method == ADMMNN_METHOD_EXACT || s->method == ADMMNN_METHOD_ROUND)
        return base_fail(err, ADMMNN_USAGE, "method %s is for quadratics",
                         admmnn_method_text(s->method));
    if (s->x_step == ADMMNN_X_STEP_EXACT && solver_is_admm(s->method))
        return base_fail(err, ADMMNN_USAGE,
                         "an exact x step is for quadratics; take gradient or linear");
    const bool needs_lipschitz =
        s->rho == 0 || (solver_is_admm(s->method) && s->x_step == ADMMNN_X_STEP_GRADIENT);
    return check_number(
        "the Lipschitz constant", s->lipschitz, s->lipschitz > 0 || !needs_lipschitz,
        "of a function, for its gradient steps or in place of rho, a number above 0", err);
}

static admmnn_status check_settings(const admmnn_solver_settings *s, bool quadratic,
                                    admmnn_error *err) {
    if ((size_t)s->method >= COUNT(method_texts) || (size_t)s->x_step >= COUNT(x_step_texts))
        return base_fail(err, ADMMNN_USAGE, "a method or an x step that there is not");
    BASE_TRY(check_rho(s, err));
    BASE_TRY(
        check_number("beta", s->beta, s->beta >= 0, "a number of at least 0, or infinity,", err));
    BASE_TRY(check_number("the probability", s->probability,
                          s->probability > 0 && s->probability <= 1,
                          "a number above 0 and at most 1", err));
    BASE_TRY(check_number("the tolerance", s->tolerance, s->tolerance > 0 && s->tolerance < 1,
                          "a number between 0 and 1", err));
    BASE_TRY(check_number("the Lipschitz constant", s->lipschitz,
                          s->lipschitz >= 0 && isfinite(s->lipschitz),
                          "a finite number of at least 0", err));
    if (s->iterations == 0)
        return base_fail(err, ADMMNN_USAGE, "no iterations; at least 1 is needed");
    if (s->x_step == ADMMNN_X_STEP_GRADIENT && s->gradient_steps == 0)
        return base_fail(err, ADMMNN_USAGE, "no gradient steps; at least 1 is needed");
    return quadratic ? ADMMNN_OK : check_function(s, err);
}

static admmnn_status check_exact(const admmnn_problem *p, const admm_product *set,
                                 admmnn_error *err) {
    if (p->q->dense == NULL)
        return base_fail(err, ADMMNN_USAGE, "method exact needs a dense Q");
    return admm_product_ladders(set) != NULL
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_USAGE, "method exact knows no fitted scales");
}

static admmnn_status make_set(const admmnn_problem *p, admm_product **set, admmnn_error *err) {
    if (p->set != NULL)
        return admm_product_parse(p->set, p->dimension, set, err);
    if (p->levels == NULL || p->first == NULL)
        return base_fail(err, ADMMNN_USAGE, "a problem needs a set, or lists of levels");
    return admm_product_lists(p->levels, p->first, p->dimension, set, err);
}

static admmnn_status make_quadratic(admmnn_solver *s, admmnn_error *err) {
    const admmnn_matrix *q = s->problem.q;
    if (q->dense == NULL && q->product == NULL &&
        (q->start == NULL || q->column == NULL || q->value == NULL))
        return base_fail(err, ADMMNN_USAGE, "Q is neither dense, sparse nor a product");
    return admm_quadratic_create(q, s->problem.b, s->d, &s->quadratic, err);
}

/* L is the largest |eigenvalue| of a quadratic's Q. */
static admmnn_status find_lipschitz(admmnn_solver *s, const admmnn_context *context,
                                    admmnn_error *err) {
    double largest;
    s->lipschitz = s->settings.lipschitz;
    if (s->quadratic == NULL)
        return ADMMNN_OK;
    BASE_TRY(admm_quadratic_spectrum(s->quadratic, SPECTRUM_TOLERANCE, &s->smallest, &largest,
                                     &s->residual, context, err));
    s->bound = fmax(fabs(s->smallest), fabs(largest)) + s->residual;
    if (s->lipschitz == 0)
        s->lipschitz = s->bound;
    if (s->lipschitz == 0) /* f is linear: any rho will do */
        s->lipschitz = 1;
    return ADMMNN_OK;
}

/* The vectors of a run, one after another. */
static admmnn_status make_vectors(admmnn_solver *s, admmnn_error *err) {
    solver_iterate *at = &s->at;
    double **const vectors[SOLVER_VECTORS] = {
        &at->x,        &at->y,     &at->l,    &at->z,      &at->projected, &at->y_before,
        &at->gradient, &at->right, &at->best, &at->x_mark, &at->l_mark,
    };
    size_t count;
    s->vectors =
        base_multiply(SOLVER_VECTORS, s->d, &count) ? base_array(count, sizeof *s->vectors) : NULL;
    if (s->vectors == NULL)
        return base_fail_memory(err, "a solver");
    for (size_t v = 0; v < SOLVER_VECTORS; v++)
        *vectors[v] = s->vectors + v * s->d;
    return ADMMNN_OK;
}

/* The factor that the method's linear systems need, if any. */
static admmnn_status factorise(admmnn_solver *s, admmnn_error *err) {
    if (s->settings.method == ADMMNN_METHOD_ROUND || s->settings.method == ADMMNN_METHOD_EXACT)
        return admm_quadratic_shift(s->quadratic, 0, err);
    if (s->quadratic != NULL && solver_is_admm(s->settings.method) &&
        s->settings.x_step == ADMMNN_X_STEP_EXACT)
        return admm_quadratic_shift(s->quadratic, s->rho, err);
    return ADMMNN_OK;
}

/* Of a sparse Q, which no factorisation says it of. */
static admmnn_status check_definite(const admmnn_solver *s, admmnn_error *err) {
    const bool rounds = s->settings.method == ADMMNN_METHOD_ROUND;
    const bool shifted =
        solver_is_admm(s->settings.method) && s->settings.x_step == ADMMNN_X_STEP_EXACT;
    const double shift = rounds ? 0 : s->rho;
    if (s->quadratic == NULL || s->problem.q->dense != NULL || (!rounds && !shifted) ||
        shift + s->smallest > -SPECTRUM_TOLERANCE * s->bound)
        return ADMMNN_OK;
    return rounds ? base_fail(err, ADMMNN_USAGE, "Q is not positive definite")
                  : base_fail(err, ADMMNN_USAGE,
                              "Q + %g I is not positive definite; a larger rho is needed", shift);
}

/* Down a direction of negative curvature f has no end on sets that have none. */
static void warn_unbounded(const admmnn_solver *s, const admmnn_context *context) {
    const admm_ladder *ladders = admm_product_ladders(s->set);
    if (s->quadratic == NULL || ladders == NULL || !(s->smallest < -SPECTRUM_TOLERANCE * s->bound))
        return;
    for (size_t i = 0; i < s->d; i++)
        if (ladders[i].count > 0)
            return;
    base_log(context, ADMMNN_LOG_WARNING,
             "Q has an eigenvalue of %.3g and the set no ends: f has no minimum on it",
             s->smallest);
}

static admmnn_status prepare(admmnn_solver *s, const admmnn_context *context, admmnn_error *err) {
    if (s->problem.dimension == 0)
        return base_fail(err, ADMMNN_USAGE, "a problem of no coordinates");
    if (s->problem.q == NULL && s->problem.f == NULL)
        return base_fail(err, ADMMNN_USAGE, "a problem needs Q or a function");
    BASE_TRY(check_settings(&s->settings, s->problem.q != NULL, err));
    BASE_TRY(make_set(&s->problem, &s->set, err));
    if (s->problem.q != NULL)
        BASE_TRY(make_quadratic(s, err));
    if (s->settings.method == ADMMNN_METHOD_EXACT)
        BASE_TRY(check_exact(&s->problem, s->set, err));
    BASE_TRY(find_lipschitz(s, context, err));
    if (!isfinite(s->lipschitz))
        return base_fail(err, ADMMNN_USAGE, "Q's largest eigenvalue is not finite");
    s->rho = choose_rho(s);
    if (!(s->rho >= DBL_MIN) || !isfinite(s->rho))
        return base_fail(err, ADMMNN_USAGE,
                         "rho comes to %g, which is no number to divide by; give another", s->rho);
    BASE_TRY(check_definite(s, err));
    BASE_TRY(factorise(s, err));
    warn_unbounded(s, context);
    return make_vectors(s, err);
}

admmnn_status admmnn_solver_create(const admmnn_problem *problem,
                                   const admmnn_solver_settings *settings,
                                   const admmnn_context *context, admmnn_solver **out,
                                   admmnn_error *err) {
    admmnn_solver *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "a solver");
    *s = (admmnn_solver){.problem = *problem, .settings = *settings, .d = problem->dimension};
    admmnn_status status = prepare(s, context, err);
    if (status != ADMMNN_OK) {
        admmnn_solver_free(s);
        return status;
    }
    *out = s;
    return ADMMNN_OK;
}

admmnn_status solver_share(const admmnn_solver *of, admmnn_solver **out, admmnn_error *err) {
    admmnn_solver *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "a solver");
    *s = *of;
    s->shares = true;
    s->quadratic = NULL;
    s->vectors = NULL;
    admmnn_status status =
        of->quadratic == NULL ? ADMMNN_OK : admm_quadratic_share(of->quadratic, &s->quadratic, err);
    if (status == ADMMNN_OK)
        status = make_vectors(s, err);
    if (status != ADMMNN_OK) {
        admmnn_solver_free(s);
        return status;
    }
    *out = s;
    return ADMMNN_OK;
}

void admmnn_solver_free(admmnn_solver *s) {
    if (s == NULL)
        return;
    if (!s->shares)
        admm_product_free(s->set);
    admm_quadratic_free(s->quadratic);
    base_free(s->vectors);
    base_free(s);
}
