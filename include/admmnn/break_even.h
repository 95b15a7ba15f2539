/* From what share of pruned weights on a layer is faster sparse than dense, on this machine. */
#ifndef ADMMNN_BREAK_EVEN_H
#define ADMMNN_BREAK_EVEN_H

#include "admmnn/context.h"
#include "admmnn/error.h"
#include "admmnn/text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct admmnn_break_even_settings {
    const char *model; /* path, a packed or an ONNX model: its layers' shapes are taken */
    const char *plot;  /* path of an SVG of it; NULL: none */
    double seconds;    /* of each shape at each share, about; above 0 */
    int force;         /* not 0: a plot that exists is replaced */
    int json;          /* not 0: *text is JSON, else a table for people */
} admmnn_break_even_settings;

/* Times one sample of every shape of convolution and inner product in the model, with weights drawn
 * at random at several shares, by the runtime's lists (admmnn/runtime.h) and by oneDNN dense in the
 * formats it prefers, in turns, and finds the share at which they are equal: the break-even pruning
 * ratio of Ren et al. 2019, of a processor. Both sides' outputs are compared. By the time the
 * thread had a processor with one thread, by the clock with more. *text is the caller's, freed with
 * admmnn_text_free. context is asked for threads, progress and whether to stop.
 * ADMMNN_UNSUPPORTED: a model without such layers; ADMMNN_USAGE: seconds, or the plot exists;
 * ADMMNN_BACKEND: outputs that differ by more than rounding; ADMMNN_CANCELLED; those of
 * admmnn_model_open; ADMMNN_IO. */
admmnn_status admmnn_break_even(const admmnn_break_even_settings *settings,
                                const admmnn_context *context, char **text, admmnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
