/** Links to the repository if the host's address contains its name: OWNER.github.io/REPOSITORY/. */
import { byId, make } from "./elements.js";

const repository = repositoryOf(location);
if (repository) {
  const paragraph = byId("repository", HTMLElement);
  paragraph.replaceChildren("Repository: ", link(repository, repository));
  paragraph.hidden = false;
  const test = byId("test", HTMLElement);
  const path = test.textContent ?? "";
  test.replaceChildren(link(`${repository}/blob/HEAD/${path}`, path));
}

/** @param {{ hostname: string, pathname: string }} address */
function repositoryOf({ hostname, pathname }) {
  const owner = /^([\w-]+)\.github\.io$/.exec(hostname)?.[1];
  const name = /^\/([\w.-]+)\//.exec(pathname)?.[1];
  return owner && name ? `https://github.com/${owner}/${name}` : undefined;
}

/** @param {string} address @param {string} text */
function link(address, text) {
  const made = /** @type {HTMLAnchorElement} */ (make("a", { text }));
  made.href = address;
  return made;
}
