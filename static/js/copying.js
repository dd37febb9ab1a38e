// Copies lines, and the address of a line, where the browser lets a page do so.
export function offerCopies(terminal) {
  if (!navigator.clipboard) return; // only where the page came over a safe connection
  offer(terminal.find("#copy"), () => text(terminal.list));
  offer(terminal.find("#link"), () => new URL(terminal.link(), location.href).href);
}

/** The lines that are here, without numbers and times; a long line is one. */
function text(list) {
  let copied = "";
  for (const line of list.children) copied += (line.classList.contains("more") || !copied ? "" : "\n") + line.textContent;
  return copied;
}

function offer(button, content) {
  delete button.dataset.notOffered;
  const label = button.querySelector(".word");
  const word = label.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(content());
      label.textContent = "Copied";
    } catch {
      label.textContent = "Not allowed";
    }
    setTimeout(() => (label.textContent = word), 1_500);
  });
}
