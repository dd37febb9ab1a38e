// Tells the reader outside of the page that something waits for them. They have to ask for it.
const KEY = "cvdops.tell";

export class Notifier {
  constructor(button, title) {
    this.button = button;
    this.title = title;
    this.told = "";
    if (!button || !("Notification" in window) || !isSecureContext) return;
    delete button.dataset.notOffered;
    this.offered = true;
    button.addEventListener("click", () => this.toggle());
    this.label();
  }

  get on() {
    return "Notification" in window && Notification.permission === "granted" && localStorage.getItem(KEY) === "yes";
  }

  async toggle() {
    const wanted = !this.on;
    localStorage.setItem(KEY, wanted ? "yes" : "no");
    if (wanted && Notification.permission === "default") await Notification.requestPermission();
    this.label();
  }

  label() {
    this.button.setAttribute("aria-pressed", String(this.on));
    const denied = Notification.permission === "denied";
    const words = denied ? "To be told, allow notifications for this site in the browser" : this.on ? "Tells you when it needs you" : "Tell me when it needs me";
    this.button.querySelector(".word").textContent = words;
    this.button.title = this.on ? "Press to be told no more" : words;
  }

  /** `over`: nobody is needed any more, unless it is rolled back. */
  rest(over) {
    if (this.offered) this.button.toggleAttribute("data-not-offered", over); // its place stays
  }

  /** `needs`: what this person is needed for, as a sentence; empty if for nothing. */
  tell(needs) {
    const news = needs && needs !== this.told;
    this.told = needs;
    if (!news || !this.on || (document.visibilityState === "visible" && document.hasFocus())) return;
    const note = new Notification(this.title, { body: needs, tag: location.pathname, icon: document.querySelector("link[rel=icon]").href });
    note.onclick = () => {
      window.focus();
      note.close();
    };
  }
}
