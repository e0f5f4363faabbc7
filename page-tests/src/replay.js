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
    const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    // Gives the page `messages` (as [name, data]) in turn, `count` of them, each when the last one is painted.
    window.replay = async (messages, count) => {
        const source = sources.at(-1);
        for (let at = 0; at < count; at += 1) {
            const [name, data] = messages[at % messages.length];
            source.dispatchEvent(new MessageEvent(name || 'message', {data}));
            await painted();
        }
    };
})()
