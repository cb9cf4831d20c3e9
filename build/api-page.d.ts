export declare function apiPage(): { readonly page: string; readonly missing: readonly string[] }
