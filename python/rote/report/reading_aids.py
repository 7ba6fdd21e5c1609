"""How to read each figure, for readers who see one for the first time. Plain text, escaped where it is used."""

from __future__ import annotations

HOW_TO_READ: dict[str, str] = {
    "views": (
        "Each row is one training image. On the left: the label the network was given, drawn by lot, and "
        "the class the image really has. Then the image itself, then views of it as the network sees them "
        "in training. A view is never stored: it is computed anew from the numbers (seed, image, view)."
    ),
    "curves": (
        "From left to right the training goes on. The orange line is the share of training images to "
        "which the network gives their random label: at 100 % it knows the list by heart. The dashed "
        "orange line is the same on views it has never been trained on. The blue line is the probe: can "
        "true classes, which the network was never told, be read from its encoder? It counts as learning "
        "only where it rises above both grey lines: what raw pixels allow, and what the untrained network "
        "allowed."
    ),
    "controls": (
        "Each row is one condition; all of them start from the same kind of network and make the same "
        "number of updates, unless said otherwise. The open circle is the probe before training, the "
        "filled one after it; the pale bar around it is the 95 % interval of the gain (between seeds "
        "where there are three or more, ticks mark single seeds). “Fresh” labels are drawn anew at every "
        "visit, so there is nothing to memorize: they show what the updates do by themselves. “True” "
        "labels show what ordinary training reaches."
    ),
    "probe": (
        "On the right, the same probe followed along training for every condition. Full lines are with "
        "augmentation, dashed lines without (plain). Compare lines at the same place of the horizontal "
        "axis: there the networks have made equally many updates."
    ),
    "layers": (
        "From left to right the image passes through the network. Grey circles: how well true classes can "
        "be told from that layer before training; blue: after it. The shaded part is the projector, the "
        "last layers, which produce the answer. If the blue line stands high in the encoder and falls in "
        "the projector, then what was learnt about the images sits early, and the list learnt by heart "
        "sits last."
    ),
    "double": (
        "Where two colours are drawn, blue asks for true classes and orange for the labels the network was trained on; "
        "dotted lines with open circles are the network before training. By nearest neighbours, the labels used are "
        "asked of a training image by the other training images, none of its own views among them: so nothing can be "
        "known by heart there, and a high value means that images were arranged by their random label. Read out "
        "linearly, a rule is fitted on some views of the images and asked of other views of the same images."
    ),
    "location": (
        "Wrong labels are those drawn by lot that miss the true class; to give them, the network must know the "
        "image by heart. Put back: one block of the trained network gets the weights that it had early on, all else "
        "stays as it is at the end. If wrong labels go with one block and right ones stay, what was learnt by heart "
        "sits there; if every block takes them along, it sits in none alone. Trained again: a block starts anew and "
        "sees right labels only; wrong labels that come back were held elsewhere. Example-tied dropout gives each "
        "example a few channels of its own to keep such things in, which can then be taken away."
    ),
    "located": (
        "Gradients: what the examples with wrong labels ask of a block, beside what the others ask; a cosine below "
        "0 says that they pull against each other. Neurons: how many outputs have to be set to 0, the most "
        "effective one first, until one example gets another answer. Room for the classes: how many clouds of "
        "points like these a plane could tell apart for each dimension; it rises as clouds shrink, in radius and in "
        "dimension. Probes: classes of test images read from each layer, by a rule fitted to the labels that the "
        "network was given, beside the network's own answers."
    ),
    "invariance": (
        "A bar of 100 % says that two views of an image are passed on as the same thing, 0 % that they differ as two "
        "images do under one and the same change. Grey is before training, blue after. A network that maps everything "
        "to one point would be perfectly invariant, too: so beside it stands whether a view still finds its own image "
        "among one other view of every image. Both must be high."
    ),
    "pool": (
        "Left, each image has one fixed view; to the right it has more; at the far right every visit brings a new "
        "one. All networks make the same number of updates unless the figure says otherwise. Bars are 95 % intervals "
        "between seeds, from three seeds on."
    ),
    "diversity": (
        "Each point is one strength of augmentation (its number stands beside it), diamonds are ready-made recipes; "
        "open points did not come to know 90 % of the labels in every seed. To the right memorizing takes longer, or "
        "views differ more: their mean distance, over that of two images, in pixels. Upwards the probe reads more. "
        "The best point need not be the strongest."
    ),
    "ideal": (
        "“Other images of its class” shows, in place of views, real other images of the same class under one label. "
        "That uses the true classes and is no method but a yardstick: how good might augmentation become?"
    ),
    "robustness": (
        "Each row is one way to train: its dot is by how many points the probe is higher with augmentation than "
        "without, for networks with the same seed (ticks are single seeds, the pale bar is their 95 % interval). "
        "Right of the grey line augmentation helps."
    ),
    "transfer": (
        "The network first learns random labels on one half of the images and is then trained on the other half. Its "
        "curve is to be compared with training from scratch, with the same network scaled back to the size of weights "
        "at initialization, and with first-layer filters drawn by lot with the learnt covariance alone. Misalignment "
        "0 would say that the first layer's filters follow the principal directions of the images."
    ),
    "size": (
        "The score of an example is by how much the chance that its label is given right rises when it is itself "
        "among the training images, over many networks trained on random halves of the data. 0 %: the others suffice; "
        "100 %: only by heart. Wrong labels are those drawn by lot that miss the true class. The purple line is the "
        "share of the examples that score above one half."
    ),
    "noise": (
        "Each colour is one kind of data: true labels; the same pixels, shuffled alike in every image; noise with the "
        "mean and variance of the images; pixels shuffled in each image by itself; labels drawn by lot. Losses fall "
        "downwards on a logarithmic scale; a condition counts as fitted where its line passes the dashed one. Against "
        "corruption, 0 % are true data and at 100 % every label is drawn by lot. Last, the four ways to train with and "
        "without two regularizers: open points are training images, full ones test images."
    ),
    "memorization": (
        "Many networks are each trained on a random part of the images. The score of an example is the share of the "
        "networks trained on it that give it its label, less that share among the others: 0 where the others' examples "
        "suffice, 1 where it is known by heart alone. Wrong labels, planted here, can be known in no other way. In the "
        "second figure every example is scored twice, by either half of the networks: what lies on the dotted line "
        "came out again. In the third a test image stands beside the training images without which it is answered less "
        "well, by the same networks; orange is a wrong label. A pair may be there by chance: how many are is "
        "told by the pairs of the opposite sign."
    ),
    "easy": (
        "Every network saw each image once, from another start and in another order. An example is placed by how many "
        "networks get it wrong, the easiest on the left. Left figure: sorted by every other network, and shown is what "
        "the remaining ones say; if no example were easier than another the line would be flat, as the dashed one is. "
        "Right figure: sorted by what is shown, as the paper draws it; then pure chance rises, too, along the dashed "
        "line, and only what leaves it is a property of the examples. The filters are those of a convolutional "
        "network, each on a scale of its own, the same one in the same place: structure after random labels says that "
        "even they are not learnt pixel by pixel."
    ),
    "trajectories": (
        "A share of the training labels was drawn by lot. Green: how many of the examples that kept their true label "
        "the network answers with it; orange: how many of those with a wrong label it answers with the wrong one. The "
        "grey dashed line is accuracy on images held out, whose labels are as noisy; where it is highest training "
        "would be stopped (the vertical line, mean over the networks). The blue line is what that is worth on test "
        "images. In the coloured figures an example is placed by its mean loss in one half of the networks, the "
        "easiest below, and its colour is its loss in the other half. The last figure shows how fast labels are fitted "
        "by how many of them are random; the dotted line is a third of the steps."
    ),
    "depth": (
        "Each point is a network of that depth at the best of several learning rates: by the speed itself on the left, "
        "by images held out on the right. Bars are 95 % intervals between seeds. Filled points compare networks of "
        "equal width, open ones networks with equally many parameters, which get narrower as they get deeper. A depth "
        "that never knew 99 % of its random labels has no point on the left."
    ),
    "sensitivity": (
        "Sensitivity of an example: by how much the average loss would be another one if its pixels had been a little "
        "different while it was trained on, added up over pixels. The first figure says how unequally it is spread: "
        "0 where all examples matter alike, 1 where one example is all that matters. In the squares a row is the class "
        "whose loss is looked at, a column the class of the training example; the stronger the colour, the more it "
        "hangs on it, each step of colour being a constant factor."
    ),
    "csr": (
        "A test input is critical when a change of its pixels too small to be seen gives it another answer, whatever "
        "its true class. The more of them there are, the closer lie the boundaries between the network's answers. "
        "Networks learn at different speeds, so they are to be compared where they fit equally much: in the figure "
        "against training accuracy. A network that was shown noise in the place of images is asked about noise."
    ),
    "convergence": (
        "Epochs to fit everything: a network is done when it gives every image that it trains on the label that it was "
        "given. Noisy images are replaced by Gaussian noise, or have a label drawn by lot. Both axes are logarithmic; "
        "open points are lower bounds, since some network was not done when training ended."
    ),
    "noise-capacity": (
        "Held-out accuracy: networks of every width, trained in equally many steps; held-out images are real and have "
        "true labels. Grey: the same images with the noisy ones left out. The ring marks the highest point of a curve, "
        "which is the mean over seeds; about as good are smaller widths within the accuracy that the run counts as a "
        "tie. If the ring moves to the right, noise asks for a larger network."
    ),
    "regularize": (
        "Every technique has a line along its strength, from training without one (the ring). The epoch that counts on "
        "true labels is chosen on images held out for that, the accuracy is that of test images then. The band is the "
        "cost at which techniques are compared: the farther to the left a line runs within it or above, the more "
        "memorization it prevents for nothing. Losses are those of training itself, with all noise, at the middle "
        "strength of each technique."
    ),
    "sizes": (
        "Each line is one number of views B, the more the stronger its colour. To the right the networks "
        "grow. Where a line leaves 100 %, the network is too small for the pool."
    ),
    "frontier": (
        "Each point is the largest number of random labels that a network of this size was able to fit to 99 %, found "
        "by halving. Both axes are logarithmic; a slope of 1 means twice the parameters, twice the labels. "
        "The pale band is the 95 % interval of the line, between seeds where there are three or more."
    ),
    "capacity": (
        "For every image a fixed pool of B views is made, and the network is asked about exactly those. "
        "Blue: all views of an image share its label, so the list does not grow. Orange: every single "
        "view has a random label of its own, so the list grows with B. Where the orange line falls, the "
        "network is full. Open circles are budget-limited: training longer would still have helped, so "
        "they are a lower bound."
    ),
    "bits": (
        "Bits per parameter are how much label information the network holds, divided by its number of "
        "parameters (from the accuracy, by Fano's inequality). The dashed grey line is what perfect memory of "
        "every view's own label would take. Where the orange line leaves it, the capacity is reached."
    ),
}
