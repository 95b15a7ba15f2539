#include "admmnn/break_even.h"

#include "commands.h"
#include "fail.h"
#include "print.h"
#include "session.h"

#define SECONDS 0.2

static const cli_option options[] = {
    {.name = "break-even",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, break_even),
     .help = "Find for each shape of layer the share of pruned weights from which sparse is "
             "faster than dense. What is measured must be named; this is all there is."},
    {.name = "plot",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, plot),
     .value = "FILE",
     .help = "Draw it, as SVG."},
    {.name = "seconds",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, seconds),
     .value = "S",
     .fallback = "0.2",
     .help = "Of each shape at each of eight shares, at most: 10,000 runs of each end it."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace a plot that exists."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn bench out/lenet5-mnist/model.admm --break-even --threads 1",
     "A table, a row a shape of layer."},
    {"admmnn bench resnet50.onnx --break-even --plot break-even.svg", "The same as a picture."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    const admmnn_break_even_settings settings = {.model = arguments->operands[0],
                                                 .plot = arguments->plot,
                                                 .seconds =
                                                     cli_real_or(arguments->seconds, SECONDS),
                                                 .force = arguments->force,
                                                 .json = arguments->json};
    cli_session session;
    char *text;
    if (!arguments->break_even)
        return cli_fail(err, ADMMNN_USAGE, "bench: name what to measure: --break-even");
    cli_session_begin(&session, arguments);
    cli_session_catch_signals();
    const admmnn_status status = admmnn_break_even(&settings, &session.context, &text, err);
    cli_session_end(&session);
    CLI_TRY(status);
    cli_print_text(text);
    admmnn_text_free(text);
    return ADMMNN_OK;
}

const cli_command cli_bench = {
    .name = "bench",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Measure from what pruning ratio on layers are faster sparse.",
    .description =
        "Takes the shapes of a model's convolutions and inner products, draws weights for each at "
        "several shares, and times one sample by the runtime's sparse kernels and by oneDNN's "
        "dense ones, in turns. The break-even is the share of pruned weights at which both take "
        "the same time. With one thread the time is what the thread had of a processor, with more "
        "the clock's.",
    .options = options,
    .examples = examples,
    .run = run,
};
