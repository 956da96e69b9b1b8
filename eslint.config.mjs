import js from "@eslint/js";
import globals from "globals";

export default [
    { ignores: [".local/**", "node_modules/**", "**/static/lib/**"] },
    js.configs.recommended,
    {
        files: ["**/*.js", "**/*.mjs"],
        languageOptions: {
            ecmaVersion: 2022,
            sourceType: "module",
            globals: { ...globals.browser, luxon: "readonly", owl: "readonly", odoo: "readonly" },
        },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules: {
            "no-console": "error",
            "no-var": "error",
            "prefer-const": "error",
            "no-shadow": "error",
            eqeqeq: ["error", "always", { null: "ignore" }],
            "no-unused-vars": ["error", { args: "after-used" }],
            // Odoo 19: every module under static/ is one by itself.
            "no-warning-comments": ["error", { terms: ["@odoo-module"], location: "anywhere" }],
        },
    },
    {
        // Scripts for node, as load tests are.
        files: ["tests/**/*.mjs", "bench/**/*.mjs", "*.mjs"],
        languageOptions: { globals: globals.node },
        rules: { "no-console": "off" },
    },
];
