// The page of the API's calls: each form is sent as the call that it shows, and its answer is shown below it.

const proof = document.querySelector("#content [name=csrfmiddlewaretoken]").value;

const address = (form) => {
  const filled = form.dataset.path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(form.querySelector(`[data-place="${name}"]`).value),
  );
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) query.append(name, value);
  return query.size ? `${filled}?${query}` : filled;
};

const told = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const send = async (form) => {
  const shown = form.querySelector("[data-answer]");
  const body = form.querySelector("[data-body]");
  const request = { method: form.dataset.call, headers: { Accept: "application/json" } };
  if (request.method === "POST") {
    request.headers["X-CSRFToken"] = proof;
    request.headers["Content-Type"] = "application/json";
    request.body = body ? body.value : "{}";
  }
  shown.hidden = false;
  shown.textContent = "…";
  try {
    const answer = await fetch(address(form), request);
    shown.textContent = `${answer.status}\n${told(await answer.text())}`;
  } catch (error) {
    shown.textContent = `The portal did not answer: ${error.message}`;
  }
};

for (const form of document.querySelectorAll("form[data-call]")) {
  form.querySelector("button").hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
