/* What a finished run leaves: the packed and the ONNX model, and the figures. */
#ifndef COMPRESS_FINISH_H
#define COMPRESS_FINISH_H

#include "compress/result.h"
#include "compress/run.h"

/* Shrinks the run's network, packs what is left, reads the packed bytes back, evaluates
 * each of the four networks once on the test set, and writes model.admm, model.onnx,
 * small.onnx and log.jsonl into folder; result.json is written last by the caller, with whose
 * presence a run counts as finished. The run's network is gone then. */
admmnn_status run_finish(compress_run *run, const char *folder, compress_result *result,
                         admmnn_error *err);

#endif
