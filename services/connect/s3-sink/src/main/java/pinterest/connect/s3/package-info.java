// SPDX-License-Identifier: GPL-3.0-or-later
/** Kafka Connect sink that keeps each record of its topics in S3 exactly once. */
package pinterest.connect.s3;
