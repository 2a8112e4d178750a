// SPDX-License-Identifier: GPL-3.0-or-later
/** JSON as it was sent, or not at all. */
package pinterest.connect.json;
