// Before the page's own scripts: keeps hold of its event sources, so that `replay` can give it the
// same messages again without waiting for the server's clock.
(() => {
    const sources = [];
    const Source = window.EventSource;
    window.EventSource = class extends Source {
        constructor(...given) {
            super(...given);
            sources.push(this);
        }
    };
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    // The page may draw in several frames: it has drawn when one passes in which it wrote nothing.
    const drawn = async () => {
        let writes = 0;
        const observer = new MutationObserver(() => { writes += 1; });
        observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
        let before;
        do {
            before = writes;
            await frame();
        } while (writes > before);
        observer.disconnect();
    };
    // Gives the page `messages` (as [name, data]) in turn, `count` of them, each when the last one is drawn.
    window.replay = async (messages, count) => {
        const source = sources.at(-1);
        for (let at = 0; at < count; at += 1) {
            const [name, data] = messages[at % messages.length];
            source.dispatchEvent(new MessageEvent(name || 'message', {data}));
            await drawn();
        }
    };
})()
