/* SPDX-License-Identifier: BSD-3-Clause */
/* Small sets of rules of one kind, each of which readers match by a path of its own, while the writer changes them. */
#ifndef MODEL_READER_SCENES_H
#define MODEL_READER_SCENES_H

#include "classifier/classifier.h"

/* Plays each scene to `changes` changes. Ends the test at a fault. */
void reader_scenes_run(struct cls_conf engine, unsigned long changes);

#endif
