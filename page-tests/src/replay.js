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
    // The page may draw in several frames: it has drawn when it has planned no other.
    let planned = 0;
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = draw => {
        planned += 1;
        return frame(time => {
            planned -= 1;
            draw(time);
        });
    };
    const drawn = async () => {
        do {
            await new Promise(done => frame(() => setTimeout(done, 0)));
        } while (planned > 0);
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
