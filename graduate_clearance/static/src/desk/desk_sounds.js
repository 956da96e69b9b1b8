import { browser } from "@web/core/browser/browser";
import { url } from "@web/core/utils/urls";

const FILES = {
    done: "/mail/static/src/audio/ting",
    error: "/barcodes/static/src/audio/error",
};

/** The sounds of the scan mode: those that Odoo ships. */
export class DeskSounds {
    constructor() {
        this.sounds = {};
    }

    /** @param {"done"|"error"} name */
    async play(name) {
        try {
            if (!this.sounds[name]) {
                const audio = new browser.Audio();
                const extension = audio.canPlayType("audio/ogg") ? "ogg" : "mp3";
                audio.src = url(`${FILES[name]}.${extension}`);
                this.sounds[name] = audio;
            }
            this.sounds[name].currentTime = 0;
            await this.sounds[name].play();
        } catch {
            // A browser may be mute until the page was touched; words and colour tell as well.
        }
    }
}
