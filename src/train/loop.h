/* The training loop: epochs of shuffled, distorted batches. Nothing random is
 * carried from epoch to epoch: an epoch's order and distortions are a function
 * of (seed, stream, epoch), so a run resumed at an epoch is the same run. */
#ifndef TRAIN_LOOP_H
#define TRAIN_LOOP_H

#include "base/context.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/schedule.h"

/* Another network's answers, mixed into the targets (distillation, after Hinton et al.
 * 2015): target = (1 - share) label (smoothed) + share softmax(logits / temperature), and the loss
 * is the cross-entropy of that with the student's own softmax, which is not softened; so there is
 * no factor temperature^2. With versions > 0 the answers are to the distorted images a student sees
 * (Beyer et al. 2022, "consistent teaching"): epoch e shows version
 * (shown + e) modulo `versions` of each image, drawn from `seed`. With versions 0 they are to the
 * undistorted images, whatever the student sees. */
typedef struct train_teacher {
    const float *logits; /* [versions, at least 1][set->count][classes] */
    uint32_t versions;
    uint32_t shown; /* epochs before epoch 0 */
    uint64_t seed;
} train_teacher;

/* The version that an epoch shows; 0 also where there is but the undistorted one. */
uint32_t train_teacher_version(const train_teacher *teacher, uint32_t epoch);

typedef struct train_samples {
    const data_set *set;
    const uint32_t *order; /* the training images' places in the set */
    size_t count;
    data_tones tones;
    const train_teacher *teacher; /* NULL: none */
} train_samples;

typedef struct train_settings {
    const char *task; /* for progress and errors */
    uint32_t epochs;
    uint32_t batch;
    train_schedule_kind schedule;
    double learning_rate;
    double label_smoothing; /* share of the uniform distribution in the targets */
    double distill;         /* share of the teacher */
    double temperature;     /* its logits are divided by this; 1 when 0 */
    data_augmentation augment;
    uint64_t seed, stream;
    /* The schedule is that of epochs [first_epoch, first_epoch + epochs) of
     * schedule_epochs; 0: of this stretch alone. Order and distortions are drawn
     * for the same numbers. schedule_before of schedule_epochs are before epoch 0. */
    uint32_t first_epoch, schedule_epochs, schedule_before;
} train_settings;

/* Hooks of a stretch; each may be NULL. */
typedef struct train_hooks {
    void *user;
    /* The ADMM penalty: anchor[active_count], and rho of each parameter of the
     * graph (weights and biases in the graph's order). */
    const float *anchor;
    const uint8_t *unpenalized; /* [active_count] 1: no penalty on it; NULL: on all */
    const float *rho;
    /* fixed[active_count]: 1: the parameter stays as it is. */
    const uint8_t *fixed;
    /* Of each step, with an error that stops. The gradient is taken at what forward_at makes
     * of the parameters, at[active_count] (straight-through estimation). after_step, after
     * `done` of the epoch's `steps`, may change the parameters (projected gradient), and what
     * anchor and unpenalized hold (ADMM's z and u steps). */
    void *step_user;
    admmnn_status (*forward_at)(void *step_user, const float *params, float *at, admmnn_error *err);
    admmnn_status (*after_step)(void *step_user, size_t done, size_t steps, float *params,
                                admmnn_error *err);
    /* After each epoch, with the mean training loss and accuracy; an error stops. */
    admmnn_status (*epoch_done)(void *user, uint32_t epoch, const train_score *score,
                                admmnn_error *err);
    /* Of each step, in the place of the optimiser's: its gradient is of labels that are drawn from
     * the network's own answers, as engine_forward gives them (train/curvature.h), with no other
     * targets. */
    admmnn_status (*measure)(void *step_user, const engine_result *result, admmnn_error *err);
    double run_from, run_to; /* this stretch's place in the whole run, for progress */
    const char *note;        /* of the progress; NULL: none */
} train_hooks;

/* Trains the network's params in place with the caller's optimiser (created for
 * active_count parameters). A loss that is not finite is ADMMNN_DIVERGED with
 * the epoch and step, a parameter that is not after an epoch with the epoch alone;
 * a request to stop is ADMMNN_CANCELLED. */
admmnn_status train_run(train_network *network, train_optimizer *optimizer,
                        const train_samples *samples, const train_settings *settings,
                        const train_hooks *hooks, const admmnn_context *context, admmnn_error *err);

#endif
