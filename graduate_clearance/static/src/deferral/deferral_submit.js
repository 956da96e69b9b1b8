import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { uuid } from "@web/core/utils/strings";

import { useState } from "@odoo/owl";

/**
 * Send what a dialog asks for, and keep the dialog open when that fails.
 *
 * Sent again after a lost connection it goes under the same key, so the server acts once.
 *
 * @param {Function} send called with the key; its promise is waited for
 * @param {Function} close called when it has arrived
 * @returns {{busy: boolean, error: string, wasSent: boolean, submit: Function, fail: Function}}
 */
export function useSubmit(send, close) {
    const key = uuid();
    const state = useState({ busy: false, error: "", wasSent: false });
    return Object.assign(state, {
        fail(message) {
            state.error = message;
        },
        async submit() {
            if (state.busy) {
                return;
            }
            Object.assign(state, { busy: true, error: "", wasSent: true });
            try {
                await send(key);
            } catch (error) {
                state.error = getMessage(error);
                return;
            } finally {
                state.busy = false;
            }
            close();
        },
    });
}

function getMessage(error) {
    if (error instanceof ConnectionLostError) {
        return _t("Not saved yet: there is no connection. Try again; it is never done twice.");
    }
    if (error instanceof RPCError && error.data?.message) {
        return error.data.message;
    }
    throw error;
}
