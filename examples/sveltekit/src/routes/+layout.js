// The page is rendered on the server, too, which imports the package but loads no model.
export const prerender = true;
